"""Authentication: who calls (keys, tokens), and what their scopes open."""

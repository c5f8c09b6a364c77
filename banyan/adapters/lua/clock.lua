#!lua flags=no-writes
-- CLOCK: what time it is for everything that is stored.
return { 'ok', now }

"""Language modelling beyond the window: what each form of packed state is worth, in bits."""

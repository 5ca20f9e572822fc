"""`python -m hemx_core`: the same as `hemx`."""

from hemx_core.commands.main import main

if __name__ == "__main__":
    main()

#!/usr/bin/env python
import os
import sys

if __name__ == "__main__":
    if sys.argv[1:] == ["new_key"]:  # the settings ask for one, so this must work before there are any
        from cryptography.fernet import Fernet

        print(Fernet.generate_key().decode())
        sys.exit(0)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)

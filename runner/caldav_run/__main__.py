"""`python -m caldav_run` is `caldav-run`."""

from caldav_run.cli.main import main

if __name__ == "__main__":
    main()

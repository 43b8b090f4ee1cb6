"""`python -m tests.bench [NAME]`: run one bench or all of them. Exit status 1 when a target was missed."""

import importlib
import os
import sys

import django

from tests.bench.report import Report

BENCHES = ("skeleton", "events", "console")


def main(names: list[str]) -> int:
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(f"There is no bench {', '.join(sorted(unknown))}; there are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    django.setup()
    from django.core.management import call_command

    call_command("prepare", verbosity=0, stdout=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    met = True
    for name in names or BENCHES:
        report = Report(name)
        importlib.import_module(f"tests.bench.{name}").run(report)
        report.write()
        met = met and report.met
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main([name for name in sys.argv[1:] if name]))

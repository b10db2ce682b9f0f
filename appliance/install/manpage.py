"""Write the manual page from the commands themselves (man(7))."""

from __future__ import annotations

from collections.abc import Iterator

import click

FOOT = """\
.SH FILES
.TP
.I /etc/reflector/appliance.toml
The configuration of this machine.
.TP
.I /etc/reflector/local.env
Settings of the application beyond appliance.toml.
.TP
.I /usr/share/doc/reflector
Documentation.
.SH EXIT STATUS
0: done.
1: something failed, or
.B status
and
.B doctor
found something that failed.
3: the configuration or the flags are invalid.
4: this machine cannot do it.
5: a check before the first change failed.
6: a change failed; the next run continues.
7: another run is in progress.
"""


def manual(command: click.Group, version: str) -> str:
    head = f'.TH APPLIANCE 8 "" "Reflector {version}" "Reflector Appliance"\n'
    name = f".SH NAME\nappliance \\- {_plain(command.help).splitlines()[0]}\n"
    synopsis = ".SH SYNOPSIS\n.B appliance\n.I COMMAND\n[\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n"
    return (
        head + name + synopsis + ".SH COMMANDS\n" + "".join(_commands("appliance", command)) + FOOT
    )


def _commands(path: str, command: click.Command) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _commands(f"{path} {name}", command.commands[name])
        return
    arguments = [
        p.make_metavar(click.Context(command))
        for p in command.params
        if isinstance(p, click.Argument)
    ]
    yield f".SS {path} {' '.join(arguments)}\n{_plain(command.help)}\n"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            names = ", ".join([*parameter.opts, *parameter.secondary_opts]).replace("-", "\\-")
            value = (
                ""
                if parameter.is_flag
                else f" \\fI{parameter.make_metavar(click.Context(command))}\\fR"
            )
            yield f".TP\n\\fB{names}\\fR{value}\n{_plain(parameter.help)}\n"


def _plain(text: str | None) -> str:
    """Escape lines that begin with a dot or an apostrophe, which would be requests."""
    lines = [line.strip().replace("\\", "\\e") for line in (text or "").splitlines()]
    return "\n".join(
        f"\\&{line}" if line[:1] in {".", "'"} else line or ".PP" for line in lines
    ).strip()

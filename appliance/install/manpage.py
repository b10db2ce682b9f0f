"""Write the manual page from the commands themselves (man(7))."""

from __future__ import annotations

from collections.abc import Iterator

import click

FOOT = """\
.SH FILES
.TP
.I /etc/reflector/appliance.toml
What this machine is to be.
.TP
.I /etc/reflector/local.env
Settings of the application that appliance.toml does not know.
.TP
.I /usr/share/doc/reflector
Documentation.
.SH EXIT STATUS
0: done.
1: something failed, or
.B status
and
.B doctor
found something that has.
3: a mistake in the configuration or the flags.
4: what this machine cannot do.
5: a check before the first change failed.
6: a change could not be made; the next run goes on.
7: another run is at work.
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
    """Lines that begin with a dot or an apostrophe would be requests."""
    lines = [line.strip().replace("\\", "\\e") for line in (text or "").splitlines()]
    return "\n".join(
        f"\\&{line}" if line[:1] in {".", "'"} else line or ".PP" for line in lines
    ).strip()

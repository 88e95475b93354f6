#!/usr/bin/env python3
"""Writes the ctypes declarations of Pomona's C interface from its public headers, so that the two cannot differ.

usage: declarations.py INCLUDE_DIR OUT.py CC...     CC: the C compiler, which expands the headers
"""
import re
import subprocess
import sys
from pathlib import Path

from pycparser import c_ast, c_parser

NUMBERS = {
    "void": "None", "_Bool": "c_bool", "char": "c_char", "int": "c_int", "float": "c_float", "double": "c_double",
    "size_t": "c_size_t", "uint8_t": "c_uint8", "int64_t": "c_int64", "uint64_t": "c_uint64",
}
GNU = ["-D__attribute__(x)=", "-D__extension__=", "-D__restrict=", "-D__inline=", "-D__asm__(x)=", "-D__signed__=signed"]


def parse(include, cc):
    """The headers' syntax tree, without what the system's headers declare."""
    expanded = subprocess.run([*cc, "-E", "-x", "c", *GNU, f"-I{include}", "-"], input="#include <pomona/pomona.h>\n",
                              capture_output=True, text=True, check=True, timeout=60).stdout
    expanded = re.sub(r"__alignof__ ?\(.*?\)|__float128", "int", expanded)
    tree = c_parser.CParser().parse(expanded)
    return [node for node in tree.ext if "pomona/" in (node.coord.file or "")]


class Writer:
    def __init__(self):
        self.structs, self.enums, self.functions = [], [], []

    def type(self, node):
        """A declared type as a ctypes expression."""
        if isinstance(node, c_ast.TypeDecl):
            return self.named(node.type)
        if isinstance(node, c_ast.ArrayDecl):
            return f"{self.type(node.type)} * {node.dim.value}"
        if isinstance(node, c_ast.FuncDecl):
            return f"CFUNCTYPE({', '.join([self.type(node.type), *self.arguments(node)])})"
        return self.pointer(node.type)

    def named(self, node):
        if isinstance(node, c_ast.Enum):
            return "c_int"
        if isinstance(node, c_ast.Struct):
            if node.decls and node.name not in dict(self.structs):
                self.struct(node)
            return node.name
        return NUMBERS[" ".join(node.names)]

    def pointer(self, target):
        if isinstance(target, c_ast.FuncDecl):
            return self.type(target)
        to = self.type(target)
        if to == "c_char":
            return "c_char_p"
        if to == "None":
            return "c_void_p"
        return f"POINTER({to})"

    def arguments(self, function):
        types = [self.type(p.type) for p in function.args.params] if function.args else []
        return [t for t in types if t != "None"]

    def struct(self, node):
        self.structs.append((node.name, None))
        fields = [f'("{f.name}", {self.type(f.type)})' for f in node.decls]
        self.structs = [s for s in self.structs if s[0] != node.name] + [(node.name, fields)]

    def enum(self, node):
        value, rows = 0, []
        for item in node.values.enumerators:
            value = int(item.value.value) if item.value else value
            rows.append((item.name, value))
            value += 1
        self.enums.append((node.name, rows))

    def take(self, node):
        declared = node.type
        if isinstance(declared, c_ast.FuncDecl):
            arguments = ", ".join(self.arguments(declared))
            self.functions.append((node.name, self.type(declared.type), arguments))
        elif isinstance(declared, c_ast.Enum):
            self.enum(declared)
        elif isinstance(declared, c_ast.Struct) and declared.decls:
            self.struct(declared)
        elif isinstance(declared, c_ast.Struct):
            self.structs.append((declared.name, []))

    def text(self):
        names = {name for name, fields in self.structs if fields is not None}
        lines = ["# Generated from include/pomona/*.h by python/declarations.py: the headers are the place to change it.",
                 "# mypy: ignore-errors", "from ctypes import *  # noqa: F403", "from typing import Any", ""]
        lines += [f"class {name}(Structure):\n    pass\n" for name in sorted(names)]
        for name, fields in self.structs:
            if fields:
                lines.append(f"{name}._fields_ = [{', '.join(fields)}]")
        for name, rows in self.enums:
            lines += [f"{key} = {value}" for key, value in rows]
            if name:
                lines.append(f"{name} = {{{', '.join(f'{value}: {key!r}' for key, value in rows)}}}")
        lines += ["", "FUNCTIONS: Any = {"]
        lines += [f'    "{name}": ({result}, [{arguments}]),' for name, result, arguments in self.functions]
        lines += ["}", f"STRUCTS: Any = [{', '.join(n for n, f in self.structs if f)}]", "",
                  "", "def declare(library: Any) -> None:",
                  '    """Gives every function of the loaded library its types."""',
                  "    for name, (result, arguments) in FUNCTIONS.items():",
                  "        function = getattr(library, name)",
                  "        function.restype, function.argtypes = result, arguments", ""]
        return "\n".join(lines)


def main(include, out, *cc):
    writer = Writer()
    for node in parse(include, cc):
        writer.take(node)
    Path(out).write_text(writer.text())


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])

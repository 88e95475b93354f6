#!/usr/bin/env python3
"""Makes google_schema.json: what arguments each resource of Google's Terraform provider takes, as far as deploy/dataproc uses it. Terraform
itself needs the provider for that, which stands in no package registry; its schema does, in the typed bindings for CDK.

usage: google_schema.py cdktf_cdktf_provider_google-16.12.1-py3-none-any.whl google_kms_key_ring data.google_project ...
       (pip download --no-deps cdktf-cdktf-provider-google==16.12.1: the provider 6.50.0)
"""
import ast
import json
import re
import sys
import zipfile
from pathlib import Path

META = {"scope", "id_", "connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners", "self"}


def classes(wheel, resource):
    module = resource.replace("data.google_", "data_google_").removeprefix("google_")
    source = wheel.read(f"cdktf_cdktf_provider_google/{module}/__init__.py").decode()
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}


def block(found, name):
    """Argument -> {required, and, where it is a block, what stands in it}."""
    init = next(node for node in found[name].body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    arguments = {}
    for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults):
        if argument.arg in META:
            continue
        kinds = [kind for kind in re.findall(r"\w+", ast.unparse(argument.annotation)) if kind in found]
        arguments[argument.arg.rstrip("_")] = {"required": default is None, **({"block": block(found, kinds[0])} if kinds else {})}
    return arguments


def main(wheel, *resources):
    schema = {}
    with zipfile.ZipFile(wheel) as archive:
        for resource in sorted(resources):
            found = classes(archive, resource)
            top = next(name for name in found if name + "Config" in found)
            schema[resource] = block(found, top)
    target = Path(__file__).with_suffix(".json")
    target.write_text(json.dumps(schema, indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

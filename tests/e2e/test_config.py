"""Settings in a file and in the environment: command line > environment > file > default."""
import os
import subprocess

import pytest
from conftest import BINARY


def run(*args, code=0, config=None, tmp_path=None, **env):
    env = {**os.environ, **env}
    if config is not None:
        (tmp_path / "config.toml").write_text(config)
        env["POMONA_CONFIG"] = str(tmp_path / "config.toml")
    done = subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture
def tree(tmp_path):
    for i in range(9):
        (tmp_path / "tree").mkdir(exist_ok=True)
        (tmp_path / "tree" / f"{i}").touch()
    return tmp_path / "tree"


def test_order_of_precedence(tree, tmp_path):
    def lines(*args, **kwargs):
        return run("ls", tree, *args, tmp_path=tmp_path, **kwargs).count("\n")
    assert lines() == 9
    assert lines(config="limit = 5") == 5
    assert lines(config="limit = 5\n[ls]\nlimit = 4\n[model.bench]\nseconds = 3") == 4
    assert lines(config="[ls]\nlimit = 4", POMONA_LIMIT="3") == 3
    assert lines("--limit", 2, config="[ls]\nlimit = 4", POMONA_LIMIT="3") == 2
    assert lines(config="[ls]\nlimit = 4", POMONA_LIMIT="") == 4
    assert lines(config="[environment]\nPOMONA_LIMIT = '6'\n[ls]\nlimit = 4") == 6


def test_switches(tree, tmp_path):
    def first(*args, **kwargs):
        return run("ls", tree, *args, tmp_path=tmp_path, **kwargs).splitlines()[0]
    assert first() == f"{tree}/0"
    assert first(config="[ls]\nlong = true").startswith("0\t")
    assert first("--long=false", config="[ls]\nlong = true") == f"{tree}/0"
    assert first(config="[ls]\nlong = true", POMONA_LONG="false") == f"{tree}/0"


def test_where_the_file_is(tree, tmp_path):
    home = tmp_path / "home" / ".config" / "pomona"
    home.mkdir(parents=True)
    (home / "config.toml").write_text("limit = 5")
    other = tmp_path / "other.toml"
    other.write_text("limit = 2")
    env = {k: v for k, v in os.environ.items() if k not in ("POMONA_CONFIG", "XDG_CONFIG_HOME")}

    def lines(*args, **more):
        done = subprocess.run([BINARY, "ls", tree, *args], capture_output=True, text=True, env={**env, "HOME": str(tmp_path / "home"), **more})
        assert done.returncode == 0, done.stderr
        return done.stdout.count("\n")
    assert lines() == 5
    assert lines(XDG_CONFIG_HOME=str(tmp_path / "none")) == 9
    assert lines(XDG_CONFIG_HOME=str(home.parent)) == 5
    assert lines(POMONA_CONFIG="") == 9
    assert lines("--config", other) == lines(f"--config={other}") == lines(POMONA_CONFIG=str(other)) == 2


@pytest.mark.parametrize("config, said", [
    ("limt = 3", "line 1: there is no option limt: did you mean limit?"),
    ("[ls]\nthreads = 3", "line 2: there is no option threads of this verb"),
    ("[feature]\nlimit = 3", "line 2: there is no verb [feature]: did you mean [features]?"),
    ("\n[ls]\nlimit = 0", "config.toml, line 3: limit: wanted a whole number"),
    ("[ls]\nlong = 1", "line 2: long: wanted true or false"),
    ("limit = [3]", "line 1: wanted a number, true, false, or a text in quotes"),
    ("[environment]\nAWS_SECRET_ACCESS_KEY = 'x'", "secrets do not belong here"),
])
def test_mistakes_are_told(tree, tmp_path, config, said):
    assert said in run("ls", tree, config=config, tmp_path=tmp_path, code=1)


def test_mistakes_outside_the_file(tree):
    assert "POMONA_LIMIT=x: wanted a whole number" in run("ls", tree, POMONA_LIMIT="x", code=1)
    assert "cannot open" in run("ls", tree, "--config", "/nowhere/x.toml", code=1)
    assert "--config needs a value" in run("ls", tree, "--config", code=1)


def test_config_tells(tmp_path):
    said = run("config", config="threads = 3\n[features]\nlabel = '{label}_*'", tmp_path=tmp_path, POMONA_MIN_COSINE="0.9")
    assert "config.toml" in said and "threads = 3  (line 1)" in said and "features label = {label}_*  (line 3)" in said
    assert "features min-cosine = 0.9  (POMONA_MIN_COSINE)" in said

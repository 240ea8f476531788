"""Lints every template against its public schema or parser, and runs what can be run of it.

usage: ci/templates.py WRACK FOLDER       in the environment that ci/templates.sh makes
"""

import os
import pathlib
import subprocess
import sys

import tree_sitter
import tree_sitter_groovy
import yaml

CI = pathlib.Path(__file__).resolve().parent
WRACK = pathlib.Path(sys.argv[1]).resolve()
FOLDER = pathlib.Path(sys.argv[2]).resolve()
TOOLS = pathlib.Path(sys.executable).parent

GOOD = (CI.parent / "harness/wrack/tests/two-services.toml").read_text()
BAD = GOOD.replace("variants.reference", "variants.blind_rmw")
WRONG = GOOD.replace("title", "titel")


def run(words, **environment):
    """Runs a command in the project's folder; gives its exit code and what it printed."""
    path = f"{WRACK.parent}:{os.environ['PATH']}"
    known = os.environ | {"PATH": path} | environment
    done = subprocess.run(words, cwd=FOLDER, env=known, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def check(what, condition, told=""):
    """Says what holds, and ends at the first thing that does not."""
    if not condition:
        sys.exit(f"NOT SO: {what}\n{told}")
    print(what)


def accepts(what, words, template, break_it):
    """The linter takes the template, and refuses a broken copy of it."""
    words = [str(TOOLS / words[0]), *words[1:]]
    code, told = run([*words, str(CI / template)])
    check(f"{what} accepts ci/{template}", code == 0, told)
    text = (CI / template).read_text()
    broken = FOLDER / ("broken-" + pathlib.Path(template).name)
    broken.write_text(text.replace(*break_it))
    check(f"{what} refuses a broken copy", broken.read_text() != text and run([*words, str(broken)])[0] != 0)


def lint():
    schema = ["check-jsonschema", "--builtin-schema"]
    accepts("check-jsonschema", [*schema, "vendor.github-actions"], "github/gate/action.yml", ("using: composite", "using: magic"))
    for template in ["github/sweep.yml", "github/nightly.yml"]:
        accepts("check-jsonschema", [*schema, "vendor.github-workflows"], template, ("runs-on:", "runs-of:"))
    gitlab = [*schema, "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    accepts("check-jsonschema", gitlab, "gitlab.yml", ("parallel: 4", "parallel: many"))
    for template in ["kubernetes/sweep.yaml", "kubernetes/merge.yaml"]:
        accepts("kubernetes-validate", ["kubernetes-validate", "--strict"], template, ("restartPolicy:", "restartPolice:"))
    accepts("pre-commit", ["pre-commit", "validate-manifest"], "pre-commit/hooks.yaml", ("entry:", "entrance:"))
    groovy = tree_sitter.Parser(tree_sitter.Language(tree_sitter_groovy.language()))
    text = (CI / "Jenkinsfile").read_bytes()
    is_good = lambda text: not groovy.parse(text).root_node.has_error
    check("Groovy's grammar accepts ci/Jenkinsfile", is_good(text))
    check("Groovy's grammar refuses a broken copy", not is_good(text.replace(b"steps {", b"steps (", 1)))
    for script in sorted(CI.rglob("*.sh")) + sorted(CI.rglob("*.sbatch")):
        code, told = run(["bash", "-n", str(script)])
        check(f"bash reads {script.relative_to(CI.parent)}", code == 0, told)


def steps(template, job):
    return yaml.safe_load((CI / template).read_text())["jobs"][job]["steps"]


def github():
    action = yaml.safe_load((CI / "github/gate/action.yml").read_text())
    (step,) = action["runs"]["steps"]
    defaults = {name: given.get("default") for name, given in action["inputs"].items()}
    names = {name: value.strip("${} ").removeprefix("inputs.") for name, value in step["env"].items()}
    environment = {name: defaults[given] for name, given in names.items()}
    check("every input of the action is used", set(names.values()) == set(defaults))
    for scenario, expected in [("good", 0), ("bad", 1), ("empty", 2)]:
        files = {name: FOLDER / f"{scenario}-{name}" for name in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"]}
        given = environment | {name: str(path) for name, path in files.items()}
        given |= {"SCENARIOS": scenario, "POLICY": "gate.toml", "OUT": f"out-{scenario}"}
        code, told = run(["bash", "--noprofile", "-e", "-o", "pipefail", "-c", step["run"]], **given)
        check(f"the action over {scenario} scenarios exits {expected}", code == expected, told)
        check("it tells its code", files["GITHUB_OUTPUT"].read_text() == f"code={expected}\n")
        check("it writes the summary", files["GITHUB_STEP_SUMMARY"].read_text().startswith("## wrack gate"))
        check("it annotates", "::error " in told if expected else "::notice " in told, told)
    plans = [("github/sweep.yml", {"SHARDS": "3"}, "shards=[1,2,3]"), ("github/nightly.yml", {"RUN": "7"}, "seeds=7000..8000")]
    for template, given, expected in plans:
        output = FOLDER / "plan"
        output.write_text("")
        (step,) = steps(template, "plan")
        code, told = run(["bash", "-c", step["run"]], GITHUB_OUTPUT=str(output), **given)
        check(f"the plan of {template} is {expected}", output.read_text() == expected + "\n", told)


def shards_and_merge():
    """The shards as GitLab and as Kubernetes run them, and the merge that both and GitHub have."""
    gitlab = yaml.safe_load((CI / "gitlab.yml").read_text())
    pods = list(yaml.safe_load_all((CI / "kubernetes/sweep.yaml").read_text()))
    (container,) = pods[1]["spec"]["template"]["spec"]["containers"]
    completions = pods[1]["spec"]["completions"]
    (shards,) = [one["value"] for one in container["env"] if one["name"] == "SHARDS"]
    check("every pod is a shard", str(completions) == shards)
    given = {"SCENARIOS": "bad", "SEEDS": "0..6"}
    for shard in [1, 2]:
        (line,) = gitlab["wrack:shard"]["script"]
        node = {"CI_NODE_INDEX": str(shard), "CI_NODE_TOTAL": "2"}
        code, told = run(["bash", "-c", line], **given, **node)
        check(f"GitLab's shard {shard} is done", code == 0, told)
    (line,) = gitlab["wrack:merge"]["script"]
    code, told = run(["bash", "-c", line], **given)
    check("the merge of GitLab's shards is red", code == 1 and "LUPD" in told, told)
    (line,) = gitlab["wrack:gate"]["script"]
    code, told = run(["bash", "-c", line], SCENARIOS="good")
    check("GitLab's gate passes what is good", code == 0, told)
    reports = gitlab["wrack:gate"]["artifacts"]["reports"].values()
    check("what GitLab reads is there", all((FOLDER / report).is_file() for report in reports))
    pod = given | {"SHARDS": "2", "OUT": "pods"}
    for index in ["0", "1"]:
        code, told = run(container["command"], JOB_COMPLETION_INDEX=index, **pod)
        check(f"the pod of index {index} is done", code == 0, told)
    (container,) = yaml.safe_load((CI / "kubernetes/merge.yaml").read_text())["spec"]["template"]["spec"]["containers"]
    code, told = run(container["command"], OUT="pods", MERGED="pods-merged")
    check("the merge of the pods is red", code == 1 and "LUPD" in told, told)
    merged = [(FOLDER / name / "runs.jsonl").read_bytes() for name in ["wrack-merged", "pods-merged"]]
    check("both merges have the same bytes", merged[0] == merged[1])


def hooks():
    project = FOLDER / "hooks"
    (project / "scenarios/short").mkdir(parents=True)
    manifest = yaml.safe_load((CI / "pre-commit/hooks.yaml").read_text())
    config = {"repos": [{"repo": "local", "hooks": manifest}]}
    (project / ".gitignore").write_text(".wrack\n")
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    home = {"PRE_COMMIT_HOME": str(FOLDER / "hooks-home")}
    run(["git", "init", "--quiet", str(project)])
    for text, expected in [(GOOD, 0), (WRONG, 1), (BAD, 1)]:
        (project / "scenarios/short/short.toml").write_text(text)
        run(["git", "-C", str(project), "add", "--all"])
        words = ["bash", "-c", f"cd hooks && {TOOLS}/pre-commit run --all-files"]
        code, told = run(words, **home)
        check(f"the hook over a changed scenario exits {expected}", code == expected, told)
    (project / "scenarios/short/short.toml").write_text(GOOD)
    words = ["bash", "-c", f"cd hooks && {TOOLS}/pre-commit run --all-files --hook-stage pre-push"]
    code, told = run(words, **home)
    check("the hook before a push passes", code == 0 and "twice" in told, told)


for name, text in [("good", GOOD), ("bad", BAD)]:
    (FOLDER / name).mkdir(parents=True)
    (FOLDER / name / "short.toml").write_text(text)
(FOLDER / "empty").mkdir()
(FOLDER / "gate.toml").write_text('seeds = "0..2"\n')
(FOLDER / "ci").symlink_to(CI)
lint()
github()
shards_and_merge()
hooks()

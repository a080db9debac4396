"""A setup line with a secret is refused without showing it; one without is taken."""

import pytest
from errors import refuses

from optexp_jax.config import Settings
from optexp_jax.schedulers.resources import Resources

HUSH = "hush0123456789abcdef0123456789abcdef0123"


def setup_of(line):
    return Resources(time="1", memory="1G", setup=("module load cuda", line)).setup


@pytest.mark.parametrize(
    "line",
    [
        f"export WANDB_API_KEY={HUSH}",
        f"WANDB_API_KEY='{HUSH}' python -V",
        f"export PASS={HUSH}",
        f"DB_PWD={HUSH}",
        f"export pgpassword={HUSH}",
        f"MYPASSWORD = {HUSH}",
        f"export GITHUB_TOKEN2={HUSH}",
        f"export KEY=${{KEY:-{HUSH}}}",
        f"export KEY=${{PREFIX}}{HUSH}",
        f"setenv HF_TOKEN {HUSH}",
        f"API_KEY: {HUSH}",
        f'echo \'{{"password": "{HUSH}"}}\' > x.json',
        f"mytool --password {HUSH}",
        f"mytool --password={HUSH}",
        f"mytool --api-key '{HUSH}'",
        f"hf auth login --token {HUSH}",
        f"huggingface-cli login --token={HUSH}",
        f"wandb login {HUSH}",
        f"python -m wandb login --relogin {HUSH}",
        f"wandb login --host https://wandb.example.org {HUSH}",
        f"wandb login --relogin '{HUSH}' && echo ready",
        f"echo {HUSH} | wandb login",
        f"echo '{HUSH}' | docker login --password-stdin",
        f"wandb login <<< {HUSH}",
        f"python -c \"import wandb; wandb.login(key='{HUSH}')\"",
        f'curl -H "Authorization: Bearer {HUSH}" https://example.org',
        f"curl -H 'authorization:token {HUSH}' https://example.org",
        f"curl -H 'X-Api-Key:{HUSH}' https://example.org",
        f"curl -u me:{HUSH} https://example.org",
        f"curl -ume:{HUSH} https://example.org",
        f"git clone https://me:{HUSH}@example.org/repository",
        f"pip install git+https://oauth2:{HUSH}@example.org/repository",
        f"export http_proxy=http://me:{HUSH}@proxy:3128",
        f"sshpass -p {HUSH} ssh there",
        f"git clone https://ghp_{HUSH}@github.com/me/repository",
        f"x hf_{HUSH}",
    ],
)
def test_a_secret_is_refused_and_not_shown(line):
    with refuses("looks-like-secret", name="setup", line=2) as refused:
        setup_of(line)
    assert "hush" not in str(refused.value)
    assert "hush" not in repr(refused.value.values)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "line",
    [
        "module load python/3.11 cuda",
        "source venv/bin/activate",
        "source ~/.keys",
        ". /home/me/secrets.sh",
        "conda activate keyboard",
        "export OMP_NUM_THREADS=1",
        "export PATH=/opt/tool:$PATH",
        "export PYTHONPATH=$PWD:$PYTHONPATH",
        "export TOKENIZERS_PARALLELISM=false",
        "export MAX_TOKENS=2048",
        "export GOOGLE_APPLICATION_CREDENTIALS=/home/me/key.json",
        "export SSH_KEY=~/.ssh/id_ed25519",
        "export SSH_AUTH_SOCK=/tmp/agent",
        "export MONKEYS=3",
        "export COMPASS=north",
        "export WANDB_API_KEY=$(cat ~/.wandb_key)",
        'export WANDB_API_KEY="$(< ~/.wandb_key)"',
        "export WANDB_API_KEY=`cat ~/.wandb_key`",
        'export WANDB_API_KEY="${MY_KEY}"',
        "export WANDB_API_KEY=${MY_KEY:-}",
        "export WANDB_API_KEY=",
        "unset WANDB_API_KEY",
        "export WANDB_API_KEY",
        'test -n "$WANDB_API_KEY"',
        '[ "$PASS" = "" ] && exit 1',
        "if [[ $TOKEN == a* ]]; then exit; fi",
        "wandb login",
        "wandb login --relogin",
        "wandb login $WANDB_KEY",
        'wandb login --relogin "$WANDB_KEY"  # from the environment',
        "wandb login < ~/.wandb_key",
        "wandb login --host https://wandb.example.org",
        "wandb login && echo ready",
        "cat ~/.wandb_key | wandb login",
        'curl -H "Authorization: Bearer $TOKEN" https://example.org',
        "curl -u $ME:$PASS https://example.org",
        "docker run -u 1000:1000 image",
        "docker login --password-stdin < ~/.docker_password",
        "mytool --password-file ~/.password",
        "mytool --token $TOKEN",
        "mytool --tokenizer gpt2",
        "sort --key=2 list.txt",
        "git clone https://github.com/me/repository",
        "git clone ssh://git@github.com/me/repository",
        "git checkout 0123456789abcdef0123456789abcdef01234567",
        "export http_proxy=http://$ME:$PASS@proxy:3128",
        "export http_proxy=http://proxy:3128",
        "rsync me@there:data .",
        "echo starting | tee log",
    ],
)
def test_what_is_no_secret_is_taken(line):
    assert setup_of(line)[1] == line


def test_the_environment_of_a_script_has_no_secret(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", HUSH)
    monkeypatch.setenv("OPTEXP_WANDB_ENABLED", "true")
    environment = Settings.from_env().as_environment()
    assert HUSH not in str(environment)
    assert all(name.startswith("OPTEXP_") for name in environment)

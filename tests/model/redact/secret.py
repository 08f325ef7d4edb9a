"""Secrets as their issuers print them, made up from a seed. No text in this file is one.

`SHAPES` is written from the issuers' published formats and not from the rules: ``{b62:36}``
are 36 letters and digits. A rule that misreads a format is found out by it.
"""

import random
import re
import string
from base64 import b64encode

UPPER, LOWER, DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
ALPHABETS = {
    "b62": UPPER + LOWER + DIGITS,
    "b64url": UPPER + LOWER + DIGITS + "-_",
    "b64": UPPER + LOWER + DIGITS + "+/",
    "hex": DIGITS + "abcdef",
    "b36": LOWER + DIGITS,
    "B36": UPPER + DIGITS,
    "b32": UPPER + "234567",
    "digit": DIGITS,
    "upper": UPPER,
    "letter": UPPER + LOWER,
    "azure": UPPER + LOWER + DIGITS + "_.~-",
}

SHAPES: dict[str, tuple[str, ...]] = {
    "openai-key": ("sk-proj-{b64url:74}T3BlbkFJ{b64url:74}", "sk-{b62:20}T3BlbkFJ{b62:20}", "sk-svcacct-{b64url:60}"),
    "openai-session": ("sess-{b62:40}",),
    "anthropic-key": ("sk-ant-api03-{b64url:93}AA", "sk-ant-admin01-{b64url:93}AA"),
    "openrouter-key": ("sk-or-v1-{hex:64}",),
    "langfuse-key": ("sk-lf-{uuid}",),
    "huggingface-token": ("hf_{letter:34}", "api_org_{letter:34}"),
    "groq-key": ("gsk_{b62:52}",),
    "replicate-token": ("r8_{b62:37}",),
    "perplexity-key": ("pplx-{b62:48}",),
    "xai-key": ("xai-{b62:80}",),
    "nvidia-key": ("nvapi-{b64url:64}",),
    "together-key": ("tgp_v1_{b64url:43}",),
    "fireworks-key": ("fw_{b62:24}",),
    "cerebras-key": ("csk-{b36:48}",),
    "jina-key": ("jina_{hex:32}{b64url:28}",),
    "llamacloud-key": ("llx-{b62:48}",),
    "voyage-key": ("pa-{b64url:43}",),
    "tavily-key": ("tvly-{b62:32}", "tvly-dev-{b62:32}"),
    "firecrawl-key": ("fc-{hex:32}",),
    "apify-token": ("apify_api_{b62:36}",),
    "elevenlabs-key": ("sk_{hex:48}",),
    "e2b-key": ("e2b_{hex:40}",),
    "langsmith-key": ("lsv2_pt_{hex:32}_{hex:10}", "lsv2_sk_{hex:32}_{hex:10}"),
    "pinecone-key": ("pcsk_{b62:6}_{b62:63}",),
    "wandb-key": ("wandb_v1_{b62:26}_{b62:46}",),
    "aws-access-key": ("AKIA{b32:16}", "ASIA{b32:16}"),
    "aws-bedrock-key": ("ABSK{b62:128}=",),
    "azure-client-secret": ("{b62:3}8Q~{azure:34}", "{b62:3}7Q~{azure:31}"),
    "google-api-key": ("AIzaSy{b64url:33}",),
    "google-oauth-secret": ("GOCSPX-{b64url:28}",),
    "google-oauth-token": ("ya29.{b64url:180}",),
    "google-refresh-token": ("1//0{digit:1}{b64url:98}",),
    "digitalocean-token": ("dop_v1_{hex:64}", "doo_v1_{hex:64}", "dor_v1_{hex:64}"),
    "databricks-token": ("dapi{hex:32}", "dapi{hex:32}-2"),
    "alibaba-key": ("LTAI{b62:20}",),
    "tencent-key": ("AKID{b62:32}",),
    "planetscale-token": ("pscale_tkn_{b64url:43}", "pscale_pw_{b64url:43}"),
    "supabase-token": ("sbp_{hex:40}",),
    "supabase-key": ("sb_secret_{b62:22}_{b62:8}",),
    "neon-key": ("napi_{b36:64}",),
    "netlify-token": ("nfp_{b62:36}",),
    "render-key": ("rnd_{b62:28}",),
    "fly-token": ("fm2_{b64:400}=",),
    "heroku-key": ("HRKU-{b64url:60}",),
    "pulumi-token": ("pul-{hex:40}",),
    "aiven-password": ("AVNS_{b64url:19}",),
    "tailscale-key": ("tskey-auth-{b62:17}-{b62:32}", "tskey-api-{b62:12}-{b62:32}"),
    "onepassword-token": ("ops_eyJ{b64url:500}",),
    "age-key": ("AGE-SECRET-KEY-1{B36:58}",),
    "vault-token": ("hvs.{b64url:90}", "hvb.{b64url:138}"),
    "terraform-token": ("{b62:14}.atlasv1.{b64url:67}",),
    "doppler-token": ("dp.pt.{b62:43}", "dp.st.{b62:43}"),
    "grafana-token": ("glsa_{b62:32}_{hex:8}",),
    "grafana-cloud-token": ("glc_eyJ{b62:160}",),
    "newrelic-key": ("NRAK-{B36:27}",),
    "sentry-token": ("sntrys_eyJ{b62:120}_{b62:43}", "sntryu_{hex:64}"),
    "posthog-key": ("phx_{b62:43}",),
    "honeycomb-key": ("hcaik_{b36:58}",),
    "dynatrace-token": ("dt0c01.{b32:24}.{b32:64}",),
    "axiom-token": ("xaat-{uuid}", "xapt-{uuid}"),
    "sonar-token": ("squ_{hex:40}", "sqp_{hex:40}"),
    "github-token": ("ghp_{b62:36}", "gho_{b62:36}", "ghs_{b62:36}", "ghu_{b62:36}", "ghr_{b62:76}"),
    "github-pat": ("github_pat_{b62:22}_{b62:59}",),
    "gitlab-token": ("glpat-{b64url:20}", "glrt-{b64url:20}", "glpat-{b62:40}.01.{b36:9}", "gloas-{hex:64}"),
    "bitbucket-token": ("ATBB{b62:32}", "ATCTT3{b62:180}={b36:8}"),
    "npm-token": ("npm_{b62:36}",),
    "pypi-token": ("pypi-AgEIcHlwaS5vcmc{b64url:130}",),
    "rubygems-key": ("rubygems_{hex:48}",),
    "crates-token": ("cio{b62:32}",),
    "nuget-key": ("oy2{b36:43}",),
    "clojars-token": ("CLOJARS_{b36:60}",),
    "jfrog-key": ("AKCp{b62:69}",),
    "docker-token": ("dckr_pat_{b64url:27}", "dckr_oat_{b64url:32}"),
    "buildkite-token": ("bkua_{hex:40}",),
    "circleci-token": ("CCIPAT_{b62:22}_{hex:40}",),
    "atlassian-token": ("ATATT3xFfGF0{b64url:170}={B36:8}",),
    "linear-key": ("lin_api_{b62:40}", "lin_oauth_{hex:64}"),
    "notion-token": ("ntn_{b62:46}", "secret_{b62:43}"),
    "figma-token": ("figd_{b64url:40}",),
    "postman-key": ("PMAK-{hex:24}-{hex:34}",),
    "contentful-token": ("CFPAT-{b64url:43}",),
    "hubspot-token": ("pat-na1-{uuid}", "pat-eu1-{uuid}"),
    "slack-token": ("xoxb-{digit:12}-{digit:13}-{b62:24}", "xoxp-{digit:12}-{digit:12}-{digit:13}-{hex:32}", "xapp-1-A{B36:10}-{digit:13}-{hex:64}", "xoxe.xoxp-1-{b62:160}"),
    "slack-webhook": ("https://hooks.slack.com/services/T{B36:10}/B{B36:10}/{b62:24}",),
    "discord-token": ("MT{b62:24}.G{b62:5}.{b64url:38}", "Nz{b62:22}.X{b62:5}.{b64url:27}"),
    "discord-webhook": ("https://discord.com/api/webhooks/{digit:18}/{b64url:68}",),
    "telegram-token": ("{digit:10}:AA{b64url:33}", "{digit:9}:AA{b64url:33}"),
    "matrix-token": ("syt_{b62:12}_{letter:20}_{b62:6}",),
    "teams-webhook": ("https://acme.webhook.office.com/webhookb2/{uuid}@{uuid}/IncomingWebhook/{hex:32}/{uuid}",),
    "twilio-key": ("SK{hex:32}",),
    "mailgun-key": ("key-{hex:32}",),
    "mailchimp-key": ("{hex:32}-us{digit:2}",),
    "brevo-key": ("xkeysib-{hex:64}-{b62:16}",),
    "resend-key": ("re_{b62:8}_{b62:24}",),
    "sendgrid-key": ("SG.{b64url:22}.{b64url:43}",),
    "facebook-token": ("EAA{b62:160}",),
    "dropbox-token": ("sl.{b64url:135}", "sl.u.{b64url:900}"),
    "stripe-key": ("sk_live_{b62:24}", "rk_live_{b62:99}", "sk_test_{b62:99}"),
    "stripe-webhook-secret": ("whsec_{b62:32}",),
    "square-token": ("sq0csp-{b64url:43}", "EAAAE{b64url:59}"),
    "shopify-token": ("shpat_{hex:32}", "shpss_{hex:32}"),
    "paddle-key": ("pdl_live_apikey_{b36:26}_{b62:22}_{b62:3}",),
    "plaid-token": ("access-production-{uuid}", "access-sandbox-{uuid}"),
    "mollie-key": ("live_{b62:30}", "test_{b62:30}"),
    "flutterwave-key": ("FLWSECK-{hex:32}-X",),
    "easypost-key": ("EZAK{b62:54}",),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9.eyJ{b64url:60}.{b64url:43}", "eyJ{b64url:30}.{b64url:90}.{b64url:342}"),
}  # fmt: skip

PART = re.compile(r"\{(\w+)(?::(\d+))?\}")


def make(shape: str, draw: random.Random) -> str:
    def fill(part: re.Match[str]) -> str:
        kind, size = part[1], int(part[2] or 0)
        if kind == "uuid":
            hexes = [make(f"{{hex:{n}}}", draw) for n in (8, 4, 4, 4, 12)]
            return "-".join(hexes)
        if kind == "digit":
            return draw.choice("123456789") + "".join(draw.choices(DIGITS, k=size - 1))
        return "".join(draw.choices(ALPHABETS[kind], k=size))

    return PART.sub(fill, shape)


def password(draw: random.Random) -> str:
    """As people and generators choose them: no space, no quote, no sign that ends a word in a text."""
    letters = "".join(draw.choices(ALPHABETS["b62"], k=draw.randrange(5, 20)))
    return f"{letters}{draw.choice('!#%^*+-_~.')}{draw.randrange(10, 9999)}"


def pem(draw: random.Random, kind: str = "RSA ") -> str:
    body = b64encode(draw.randbytes(600)).decode()
    lines = "\n".join(body[i : i + 64] for i in range(0, len(body), 64))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"

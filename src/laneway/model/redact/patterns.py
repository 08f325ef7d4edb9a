"""The shapes of secrets, as data: what vendors print on their keys, and how texts carry passwords.

A rule begins with a literal (its anchor) and goes on with a pattern whose every
repeat is bounded and possessive, so that no text makes it slow.

`TOKEN_RULES` match a run of `RUN_CHARS` or more token characters that holds the
anchor, or follows it; `PATH_RULES` an address that ends in such a run; `WORD_RULES`
begin with a word in any case. A text without such a run or word needs no pattern at all.
"""

RUN_CHARS = 20
"""The shortest token of `TOKEN_RULES`; ordinary words are shorter."""

BEFORE_CHARS = 12
"""How far before its run an anchor of `TOKEN_RULES` may begin."""

BASE64_CHARS = 36
"""The shortest base64 that is looked into: 27 bytes. Trace ids (32) stay below."""

HEX_ANCHORS = ("fc-",)
"""Of `TOKEN_RULES`, those that could begin a UUID or digest."""


SPLIT_ANCHORS = ("ABSK", "ATBB", "ATCTT3", "ATATT3")
"""Of `TOKEN_RULES`, those whose ``=``, ``+`` or ``/`` may leave no run of `RUN_CHARS`."""


class Rule:
    """``tail`` continues where an anchor ends; its group, if there is one, is what is replaced.

    ``before``: ``word`` wants no letter or digit before the anchor, ``digit`` wants one, empty takes all.
    ``check`` names a further test of the value in `redact.judge`. ``back``: where the anchor stands in
    the middle of a token, this many token characters before it belong to the secret, too.
    """

    __slots__ = ("anchors", "back", "before", "check", "name", "tail")

    def __init__(
        self,
        name: str,
        anchors: str,
        tail: str,
        before: str = "word",
        check: str = "random",
        back: int = 0,
    ) -> None:
        self.name = name
        self.anchors = tuple(anchors.split("|"))
        self.tail = tail
        self.before = before
        self.check = check
        self.back = back


_B62 = "[A-Za-z0-9]"
_B64URL = "[A-Za-z0-9_-]"
_HEX = "[a-f0-9]"
_UUID = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_END = "(?![A-Za-z0-9])"

AI_RULES = (
    Rule("openai-key", "sk-", f"{_B64URL}{{20,220}}+"),
    Rule("openai-session", "sess-", f"{_B62}{{36,64}}+"),
    Rule("anthropic-key", "sk-ant-", f"{_B64URL}{{20,220}}+"),
    Rule("openrouter-key", "sk-or-", f"{_B64URL}{{20,120}}+"),
    Rule("langfuse-key", "sk-lf-", f"{_B64URL}{{20,60}}+"),
    Rule("huggingface-token", "hf_|api_org_", f"{_B62}{{30,64}}+"),
    Rule("groq-key", "gsk_", f"{_B62}{{40,80}}+"),
    Rule("replicate-token", "r8_", f"{_B62}{{36,44}}+"),
    Rule("perplexity-key", "pplx-", f"{_B62}{{32,64}}+"),
    Rule("xai-key", "xai-", f"{_B62}{{60,120}}+"),
    Rule("nvidia-key", "nvapi-", f"{_B64URL}{{40,80}}+"),
    Rule("together-key", "tgp_v1_", f"{_B64URL}{{40,60}}+"),
    Rule("fireworks-key", "fw_", f"{_B62}{{22,48}}+", check="mixed"),
    Rule("cerebras-key", "csk-", f"{_B62}{{40,64}}+"),
    Rule("jina-key", "jina_", f"{_HEX}{{32}}{_B64URL}{{20,40}}+"),
    Rule("llamacloud-key", "llx-", f"{_B62}{{40,64}}+"),
    Rule("voyage-key", "pa-", f"{_B64URL}{{40,60}}+"),
    Rule("tavily-key", "tvly-", f"{_B64URL}{{20,64}}+"),
    Rule("firecrawl-key", "fc-", f"{_HEX}{{32}}{_END}"),
    Rule("apify-token", "apify_api_", f"{_B62}{{30,48}}+"),
    Rule("elevenlabs-key", "sk_", f"{_HEX}{{48}}{_END}"),
    Rule("e2b-key", "e2b_", f"{_HEX}{{40}}{_END}"),
    Rule("langsmith-key", "lsv2_pt_|lsv2_sk_", f"{_HEX}{{32}}_{_HEX}{{10}}"),
    Rule("pinecone-key", "pcsk_", f"{_B64URL}{{40,90}}+"),
    Rule("wandb-key", "wandb_v1_", f"{_B64URL}{{40,100}}+"),
)
CLOUD_RULES = (
    Rule("aws-access-key", "AKIA|ASIA", f"[A-Z0-9]{{16}}{_END}", check="varied"),
    Rule("aws-bedrock-key", "ABSK", "[A-Za-z0-9+/]{80,200}+={0,2}+"),
    Rule("google-api-key", "AIza", f"{_B64URL}{{35}}{_END}"),
    Rule("google-oauth-secret", "GOCSPX-", f"{_B64URL}{{24,40}}+"),
    Rule("digitalocean-token", "dop_v1_|doo_v1_|dor_v1_", f"{_HEX}{{64}}"),
    Rule("databricks-token", "dapi", f"{_HEX}{{32}}(?:-[0-9])?+{_END}"),
    Rule("alibaba-key", "LTAI", f"{_B62}{{16,24}}+"),
    Rule("tencent-key", "AKID", f"{_B62}{{32}}{_END}"),
    Rule("planetscale-token", "pscale_tkn_|pscale_pw_|pscale_oauth_", f"{_B64URL}{{32,64}}+"),
    Rule("supabase-token", "sbp_", f"{_HEX}{{40}}{_END}"),
    Rule("supabase-key", "sb_secret_", f"{_B64URL}{{20,64}}+"),
    Rule("neon-key", "napi_", f"{_B62}{{50,80}}+"),
    Rule("netlify-token", "nfp_", f"{_B62}{{36,64}}+"),
    Rule("render-key", "rnd_", f"{_B62}{{28,48}}+"),
    Rule("heroku-key", "HRKU-", f"{_B64URL}{{36,80}}+"),
    Rule("pulumi-token", "pul-", f"{_HEX}{{40}}{_END}"),
    Rule("aiven-password", "AVNS_", f"{_B64URL}{{16,40}}+"),
    Rule(
        "tailscale-key",
        "tskey-",
        f"(?:auth|api|client|scim|webhook)-{_B62}{{8,24}}+-{_B62}{{20,48}}+",
    ),
    Rule("onepassword-token", "ops_eyJ", f"{_B64URL}{{100,4096}}+"),
    Rule("age-key", "AGE-SECRET-KEY-1", "[A-Z0-9]{58}"),
    Rule("google-oauth-token", "ya29.", f"{_B64URL}{{20,1024}}+"),
    Rule("google-refresh-token", "1//0|1%2F%2F0", f"{_B64URL}{{40,200}}+"),
    Rule("vault-token", "hvs.|hvb.|hvr.", f"{_B64URL}{{20,300}}+"),
    Rule("terraform-token", ".atlasv1.", f"{_B64URL}{{60,80}}+", before="", back=20),
    Rule("doppler-token", "dp.pt.|dp.st.|dp.ct.", f"{_B62}{{40,60}}+"),
)
WATCH_RULES = (
    Rule("grafana-token", "glsa_", f"{_B62}{{32}}_[A-Fa-f0-9]{{8}}"),
    Rule("grafana-cloud-token", "glc_", f"{_B62}{{32,400}}+"),
    Rule("newrelic-key", "NRAK-", f"[A-Z0-9]{{27}}{_END}"),
    Rule("sentry-token", "sntrys_|sntryu_", f"{_B64URL}{{40,400}}+"),
    Rule("posthog-key", "phx_", f"{_B62}{{40,64}}+"),
    Rule("honeycomb-key", "hcaik_|hcamk_", f"{_B62}{{50,80}}+"),
    Rule("dynatrace-token", "dt0c01.|dt0s01.|dt0s16.", "[A-Z2-7]{24}\\.[A-Z2-7]{64}"),
    Rule("axiom-token", "xaat-|xapt-", f"{_UUID}{_END}", check="any"),
    Rule("sonar-token", "squ_|sqp_|sqa_", f"{_HEX}{{40}}{_END}"),
)
CODE_RULES = (
    Rule("github-token", "ghp_|gho_|ghu_|ghs_|ghr_", f"{_B62}{{36,255}}+"),
    Rule("github-pat", "github_pat_", "[A-Za-z0-9_]{36,255}+"),
    Rule(
        "gitlab-token",
        "glpat-|gldt-|glrt-|glrtr-|glcbt-|glptt-|glft-|glimt-|glagent-|glwt-|glsoat-|glffct-|gloas-",
        f"{_B64URL}{{20,300}}+(?:\\.[a-z0-9]{{2}}\\.[a-z0-9]{{7,9}}+)?+",
    ),
    Rule("bitbucket-token", "ATBB|ATCTT3", "[A-Za-z0-9_=-]{32,250}+"),
    Rule("npm-token", "npm_", f"{_B62}{{36}}{_END}"),
    Rule("pypi-token", "pypi-", f"AgE{_B64URL}{{40,500}}+"),
    Rule("rubygems-key", "rubygems_", f"{_HEX}{{48}}{_END}"),
    Rule("crates-token", "cio", f"{_B62}{{32}}{_END}", check="mixed"),
    Rule("nuget-key", "oy2", f"[a-z0-9]{{43}}{_END}"),
    Rule("clojars-token", "CLOJARS_", f"[a-z0-9]{{60}}{_END}"),
    Rule("jfrog-key", "AKCp", f"{_B62}{{60,80}}+"),
    Rule("docker-token", "dckr_pat_|dckr_oat_", f"{_B64URL}{{20,64}}+"),
    Rule("buildkite-token", "bkua_", f"{_HEX}{{40}}{_END}"),
    Rule("circleci-token", "CCIPAT_|CCIPRJ_", f"{_B62}{{22}}_{_HEX}{{40}}"),
    Rule("atlassian-token", "ATATT3", "[A-Za-z0-9_=-]{50,250}+"),
    Rule("linear-key", "lin_api_|lin_oauth_", f"{_B62}{{32,64}}+"),
    Rule("notion-token", "ntn_|secret_", f"{_B62}{{43,60}}+"),
    Rule("figma-token", "figd_|figu_", f"{_B64URL}{{30,60}}+"),
    Rule("postman-key", "PMAK-", f"{_HEX}{{24}}-{_HEX}{{34}}"),
    Rule("contentful-token", "CFPAT-", f"{_B64URL}{{40,64}}+"),
    Rule(
        "hubspot-token",
        "pat-na1-|pat-na2-|pat-na3-|pat-eu1-|pat-ap1-",
        f"{_UUID}{_END}",
        check="any",
    ),
)
MESSAGE_RULES = (
    Rule(
        "slack-token",
        "xoxb-|xoxp-|xoxa-|xoxr-|xoxs-|xoxe-|xoxc-|xoxd-|xapp-|xoxe.xoxp-|xoxe.xoxb-",
        "[A-Za-z0-9-]{15,250}+(?:%[A-Za-z0-9%-]{1,250}+)?+",
    ),
    Rule(
        "discord-token",
        "MD|MT|Mj|Mz|ND|NT|Nj|Nz|OD|OT",
        f"{_B62}{{21,27}}+\\.{_B64URL}{{6}}\\.{_B64URL}{{27,42}}+",
    ),
    Rule("telegram-token", ":AA|%3AAA", f"{_B64URL}{{32,35}}+", before="digit"),
    Rule("matrix-token", "syt_", f"{_B64URL}{{20,120}}+"),
    Rule("twilio-key", "SK", f"{_HEX}{{32}}{_END}"),
    Rule("mailgun-key", "key-", f"{_HEX}{{32}}{_END}"),
    Rule("mailchimp-key", "-us", f"[0-9]{{1,2}}+{_END}", before="", check="mailchimp", back=32),
    Rule("brevo-key", "xkeysib-|xsmtpsib-", f"{_HEX}{{64}}-{_B62}{{16}}"),
    Rule("resend-key", "re_", f"{_B62}{{8}}_{_B62}{{20,32}}+", check="mixed"),
    Rule("sendgrid-key", "SG.", f"{_B64URL}{{20,32}}+\\.{_B64URL}{{30,64}}+"),
    Rule("facebook-token", "EAA", f"{_B62}{{80,300}}+"),
    Rule("dropbox-token", "sl.", f"(?:u\\.)?+{_B64URL}{{100,1500}}+"),
)
MONEY_RULES = (
    Rule("stripe-key", "sk_live_|sk_test_|rk_live_|rk_test_", f"{_B62}{{16,255}}+"),
    Rule("stripe-webhook-secret", "whsec_", f"{_B62}{{14}}[A-Za-z0-9+/]{{10,50}}+={{0,2}}+"),
    Rule("square-token", "sq0csp-|sq0atp-|EAAAE", f"{_B64URL}{{22,64}}+"),
    Rule("shopify-token", "shpat_|shpca_|shppa_|shpss_", f"[a-fA-F0-9]{{32}}{_END}"),
    Rule(
        "paddle-key", "pdl_live_apikey_|pdl_sdbx_apikey_", f"{_B62}{{26}}_{_B62}{{22}}_{_B62}{{3}}"
    ),
    Rule(
        "plaid-token", "access-production-|access-sandbox-|access-development-", _UUID, check="any"
    ),
    Rule("mollie-key", "live_|test_", f"{_B62}{{30}}{_END}", check="mixed"),
    Rule("flutterwave-key", "FLWSECK-|FLWSECK_TEST-", f"{_B62}{{20,64}}+(?:-X)?+"),
    Rule("easypost-key", "EZAK|EZTK", f"{_B62}{{54}}{_END}"),
)
IDENTITY_RULES = (
    Rule("jwt", "eyJ", f"{_B64URL}{{17,4096}}+\\.{_B64URL}{{8,8192}}+(?:\\.{_B64URL}{{0,2048}}+){{0,3}}+"),
)  # fmt: skip

TOKEN_RULES = (
    *AI_RULES, *CLOUD_RULES, *WATCH_RULES, *CODE_RULES, *MESSAGE_RULES, *MONEY_RULES, *IDENTITY_RULES,
)  # fmt: skip

PATH_RULES = (
    Rule(
        "slack-webhook",
        "hooks.slack.com/|hooks.slack.com%2F",
        "(?:services|workflows|triggers)(?:/|%2F)"
        "([A-Z0-9]{6,16}+(?:/|%2F)[A-Z0-9]{6,16}+(?:/|%2F)[A-Za-z0-9/]{16,64}+)",
        before="",
    ),
    Rule(
        "discord-webhook",
        "discord.com/api/webhooks/|discordapp.com/api/webhooks/|discord.com%2Fapi%2Fwebhooks%2F",
        f"[0-9]{{15,22}}+(?:/|%2F)({_B64URL}{{40,100}}+)",
        before="",
    ),
    Rule("fly-token", "fm2_|fm1r_|fm1a_", "[A-Za-z0-9+/%]{60,2000}+={0,3}+"),
)  # fmt: skip

_SPACE = "[ \\t]"
_ASSIGN = (
    "(?i:[-_]?(?:access[-_]?)?key)?+"  # secret_key, SECRET_ACCESS_KEY
    f"\\\\{{0,3}}+[\"'`]?+{_SPACE}{{0,3}}+(?:=>|:=|==?+|:){_SPACE}{{0,3}}+"
    "(?:\\\\{0,3}+[\"'`]([^\"'`\\\\\\r\\n]{4,512}+)"
    "|([^\\s\"'`\\\\,;&<>(){}\\[\\]|]{6,512}+)(?![(\\[]))"
)
"""``PASSWORD=…``, ``"password": "…"``, ``api_key => '…'``, also where quotes are escaped."""

_ALWAYS = (
    "password|passwd|passphrase|secret|api_key|apikey|api-key|access_key|accesskey|access-key|"
    "private_key|private-key|privatekey|account_key|accountkey|encryption_key|signing_key|shared_key|"
    "subscription-key|subscriptionkey|subscription_key|"
    "sharedaccesskey|master_key"
)
_IF_OPAQUE = "token|credential|credentials|pwd|_pass"

WORD_RULES = (
    Rule("assignment", _ALWAYS, _ASSIGN, before="", check="password"),
    Rule("assignment", _IF_OPAQUE, _ASSIGN, before="", check="opaque"),
    Rule("option", "--password|--passphrase|--token|--api-key|--secret|--access-key",
         f"{_SPACE}{{1,3}}+[\"']?+([^\\s\"'\\\\-][^\\s\"'\\\\]{{5,512}}+)", before="", check="password"),
    Rule("bearer-token", "bearer ", "([A-Za-z0-9._~+/=-]{8,8192}+)", check="opaque"),
    Rule("basic-auth", "basic ", "([A-Za-z0-9+/]{8,1024}+={0,2}+)", check="basic"),
    Rule("authorization", "authorization",
         f"\\\\{{0,3}}+[\"']?+{_SPACE}{{0,3}}+[:=]{_SPACE}{{0,3}}+\\\\{{0,3}}+[\"']?+"
         "(?:(?i:token|apikey|api-key|key|digest|negotiate|aws4-hmac-sha256|hmac)[ ]{1,2}+)?+"
         "([^\\s\"'\\\\,;]{8,4096}+)", check="opaque"),
    Rule("cookie", "cookie",
         f"\\\\{{0,3}}+[\"']?+{_SPACE}{{0,3}}+[:=]{_SPACE}{{0,3}}+\\\\{{0,3}}+[\"']?+"
         "([^\\r\\n\"'\\\\]{6,4096}+)", before="", check="cookie"),
    Rule("element", "password>|passwd>|passphrase>|secret>|apikey>|api_key>",
         "([^<>\"\\s]{4,256}+)</", before="", check="password"),
    Rule("netrc", "login ",
         f"[^\\s]{{1,64}}+\\s{{1,4}}+(?i:password){_SPACE}{{1,4}}+([^\\s\"]{{4,128}}+)", check="wordless"),
    Rule("curl-user", "-u |--user ",
         "[\"']?+[^\\s:\"']{1,64}+:([^\\s\"']{4,128}+)", check="opaque"),
    Rule("azure-client-secret", "q~", "[A-Za-z0-9_.~-]{31,34}+", before="", back=4),
    Rule("teams-webhook", "webhook.office.com/webhookb2/|webhook.office.com%2fwebhookb2%2f",
         "([A-Za-z0-9@/%-]{80,300}+)",
         before="", check="any"),
    Rule("oracle-password", "jdbc:oracle:thin:",
         "[^/\\s\"']{1,64}+/([^@\\s\"']{4,128}+)@", before="", check="password"),
    Rule("url-password", "://",
         "[^\\s/?#@:\"'\\\\<>]{0,256}+:([^\\s/?#@\"'\\\\<>\\[]{1,256}+)@", before="", check="password"),
    Rule("url-signature", "signature=|sig=", "([A-Za-z0-9%+/=_-]{20,1024}+)"),
    Rule("private-key", "-----begin ",
         "(?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?+PRIVATE KEY(?: BLOCK)?+-----"
         "[A-Za-z0-9+/=\\s\\\\:,.()]{0,15000}+(?:-----END [A-Z ]{3,40}+-----)?+", before="", check="any"),
)  # fmt: skip

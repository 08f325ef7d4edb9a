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


class Rule:
    """``tail`` continues where an anchor ends; its group, if there is one, is what is replaced.

    ``before``: ``word`` wants no letter or digit before the anchor, ``digit`` wants one, empty takes all.
    ``check`` names a further test of the value in `redact.judge`.
    """

    __slots__ = ("anchors", "before", "check", "name", "tail")

    def __init__(
        self, name: str, anchors: str, tail: str, before: str = "word", check: str = "random"
    ) -> None:
        self.name = name
        self.anchors = tuple(anchors.split("|"))
        self.tail = tail
        self.before = before
        self.check = check


_B62 = "[A-Za-z0-9]"
_B64URL = "[A-Za-z0-9_-]"
_HEX = "[a-f0-9]"

TOKEN_RULES = (
    # AI providers and their tools
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
    Rule("tavily-key", "tvly-", f"{_B64URL}{{20,64}}+"),
    Rule("elevenlabs-key", "sk_", f"{_HEX}{{48}}(?![A-Za-z0-9])"),
    Rule("e2b-key", "e2b_", f"{_HEX}{{40}}(?![A-Za-z0-9])"),
    Rule("langsmith-key", "lsv2_pt_|lsv2_sk_", f"{_HEX}{{32}}_{_HEX}{{10}}"),
    Rule("pinecone-key", "pcsk_", f"{_B64URL}{{40,90}}+"),
    Rule("posthog-key", "phx_", f"{_B62}{{40,64}}+"),
    # cloud and infrastructure
    Rule("aws-access-key", "AKIA|ASIA", "[A-Z0-9]{16}(?![A-Za-z0-9])"),
    Rule("google-api-key", "AIza", f"{_B64URL}{{35}}(?![A-Za-z0-9])"),
    Rule("google-oauth-secret", "GOCSPX-", f"{_B64URL}{{24,40}}+"),
    Rule("digitalocean-token", "dop_v1_|doo_v1_|dor_v1_", f"{_HEX}{{64}}"),
    Rule("databricks-token", "dapi", f"{_HEX}{{32}}(?:-[0-9])?+(?![A-Za-z0-9])"),
    Rule("alibaba-key", "LTAI", f"{_B62}{{16,24}}+"),
    Rule("planetscale-token", "pscale_tkn_|pscale_pw_|pscale_oauth_", f"{_B64URL}{{32,64}}+"),
    Rule("supabase-token", "sbp_", f"{_HEX}{{40}}(?![A-Za-z0-9])"),
    Rule("netlify-token", "nfp_", f"{_B62}{{36,64}}+"),
    Rule("heroku-key", "HRKU-", f"{_B64URL}{{36,80}}+"),
    Rule("pulumi-token", "pul-", f"{_HEX}{{40}}(?![A-Za-z0-9])"),
    Rule("grafana-token", "glsa_", f"{_B62}{{32}}_[A-Fa-f0-9]{{8}}"),
    Rule("grafana-cloud-token", "glc_", f"{_B62}{{32,400}}+"),
    Rule("newrelic-key", "NRAK-", "[A-Z0-9]{27}(?![A-Za-z0-9])"),
    Rule("sentry-token", "sntrys_|sntryu_", f"{_B64URL}{{40,400}}+"),
    # version control, packages, work
    Rule("github-token", "ghp_|gho_|ghu_|ghs_|ghr_", f"{_B62}{{36,255}}+"),
    Rule("github-pat", "github_pat_", "[A-Za-z0-9_]{36,255}+"),
    Rule("gitlab-token", "glpat-|gldt-|glrt-|glcbt-|glptt-|glft-|glsoat-", f"{_B64URL}{{20,100}}+"),
    Rule("npm-token", "npm_", f"{_B62}{{36}}(?![A-Za-z0-9])"),
    Rule("pypi-token", "pypi-", f"AgE{_B64URL}{{40,500}}+"),
    Rule("rubygems-key", "rubygems_", f"{_HEX}{{48}}(?![A-Za-z0-9])"),
    Rule("docker-token", "dckr_pat_|dckr_oat_", f"{_B64URL}{{20,64}}+"),
    Rule("buildkite-token", "bkua_", f"{_HEX}{{40}}(?![A-Za-z0-9])"),
    Rule("atlassian-token", "ATATT3", "[A-Za-z0-9_=-]{50,250}+"),
    Rule("linear-key", "lin_api_", f"{_B62}{{32,64}}+"),
    Rule("notion-token", "ntn_|secret_", f"{_B62}{{43,60}}+"),
    Rule("figma-token", "figd_", f"{_B64URL}{{30,60}}+"),
    Rule("postman-key", "PMAK-", f"{_HEX}{{24}}-{_HEX}{{34}}"),
    # messages and money
    Rule("slack-token", "xoxb-|xoxp-|xoxa-|xoxr-|xoxs-|xoxe-|xoxc-|xoxd-|xapp-",
         "[A-Za-z0-9-]{15,250}+(?:%[A-Za-z0-9%-]{1,250}+)?+"),
    Rule("stripe-key", "sk_live_|sk_test_|rk_live_|rk_test_", f"{_B62}{{16,255}}+"),
    Rule("stripe-webhook-secret", "whsec_", f"{_B62}{{14}}[A-Za-z0-9+/]{{10,50}}+={{0,2}}+"),
    Rule("square-token", "sq0csp-|sq0atp-|EAAAE", f"{_B64URL}{{22,64}}+"),
    Rule("shopify-token", "shpat_|shpca_|shppa_|shpss_", "[a-fA-F0-9]{32}(?![A-Za-z0-9])"),
    Rule("mailgun-key", "key-", f"{_HEX}{{32}}(?![A-Za-z0-9])"),
    Rule("twilio-key", "SK", f"{_HEX}{{32}}(?![A-Za-z0-9])"),
    Rule("brevo-key", "xkeysib-", f"{_HEX}{{64}}-{_B62}{{16}}"),
    Rule("facebook-token", "EAA", f"{_B62}{{80,300}}+"),
    Rule("age-key", "AGE-SECRET-KEY-1", "[A-Z0-9]{58}"),
    Rule("jwt", "eyJ", f"{_B64URL}{{17,4096}}+\\.{_B64URL}{{8,8192}}+(?:\\.{_B64URL}{{0,2048}}+){{0,3}}+"),
    # an anchor with a dot or colon stands before the run
    Rule("google-oauth-token", "ya29.", f"{_B64URL}{{20,1024}}+"),
    Rule("sendgrid-key", "SG.", f"{_B64URL}{{20,32}}+\\.{_B64URL}{{30,64}}+"),
    Rule("vault-token", "hvs.|hvb.|hvr.", f"{_B64URL}{{20,300}}+"),
    Rule("terraform-token", ".atlasv1.", f"{_B64URL}{{60,80}}+", before=""),
    Rule("doppler-token", "dp.pt.|dp.st.|dp.ct.", f"{_B62}{{40,60}}+"),
    Rule("dropbox-token", "sl.", f"{_B64URL}{{100,1500}}+"),
    Rule("telegram-token", ":AA", f"{_B64URL}{{32,35}}+", before="digit"),
)  # fmt: skip

PATH_RULES = (
    Rule(
        "slack-webhook",
        "hooks.slack.com/",
        "(?:services|workflows)/(T[A-Z0-9]{6,14}+/[A-Z0-9]{6,16}+/[A-Za-z0-9/]{16,64}+)",
        before="",
    ),
    Rule(
        "discord-webhook",
        "discord.com/api/webhooks/|discordapp.com/api/webhooks/",
        f"[0-9]{{15,22}}+/({_B64URL}{{40,100}}+)",
        before="",
    ),
)

_SPACE = "[ \\t]"
_ASSIGN = (
    "(?:[-_]?(?:access[-_]?)?key)?+"  # secret_key, SECRET_ACCESS_KEY
    f"\\\\{{0,3}}+[\"'`]?+{_SPACE}{{0,3}}+(?:=>|:=|==?+|:){_SPACE}{{0,3}}+"
    "(?:\\\\{0,3}+[\"'`]([^\"'`\\\\\\r\\n]{4,512}+)"
    "|([^\\s\"'`\\\\,;&<>(){}\\[\\]|]{6,512}+)(?![(\\[]))"
)
"""``PASSWORD=…``, ``"password": "…"``, ``api_key => '…'``, also where quotes are escaped."""

_ALWAYS = (
    "password|passwd|passphrase|secret|api_key|apikey|api-key|access_key|accesskey|access-key|"
    "private_key|privatekey|account_key|accountkey|encryption_key|signing_key|shared_key|"
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
    Rule("cookie", "cookie:", f"{_SPACE}{{0,3}}+([^\\r\\n\"'\\\\]{{6,4096}}+)", before="", check="cookie"),
    Rule("url-password", "://",
         "[^\\s/?#@:\"'\\\\<>]{0,256}+:([^\\s/?#@\"'\\\\<>\\[]{1,256}+)@", before="", check="password"),
    Rule("url-signature", "signature=|sig=", "([A-Za-z0-9%+/=_-]{20,1024}+)"),
    Rule("private-key", "-----begin ",
         "(?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?+PRIVATE KEY(?: BLOCK)?+-----"
         "[A-Za-z0-9+/=\\s\\\\:,.()]{0,15000}+(?:-----END [A-Z ]{3,40}+-----)?+", before="", check="any"),
)  # fmt: skip

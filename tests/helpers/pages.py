"""Reads pages of reports strictly."""

import re
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "hr"}
TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "footer",
        "section",
        "article",
        "figure",
    ),
    *(
        "figcaption",
        "div",
        "p",
        "span",
        "b",
        "small",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "dl",
    ),
    *(
        "dt",
        "dd",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "pre",
        "code",
        "a",
        "img",
        "em",
        "strong",
    ),
    *(
        "details",
        "summary",
        "svg",
        "circle",
        "rect",
        "line",
        "polyline",
        "text",
        "blockquote",
        "br",
        "hr",
        "s",
    ),
}
MATHML = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup"),
    *("munder", "mover", "munderover", "mtable", "mtr", "mtd", "mstyle", "mphantom", "mpadded", "menclose"),
}


class Page(HTMLParser):
    """Tags, attributes, links and text of a page; fails where tags don't close."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.links, self.open, self.words = set(), set(), [], [], []
        self.elements = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.elements.append((tag, attrs))
        self.attributes.update(name for name, _ in attrs)
        self.links += [value for name, value in attrs if name in ("href", "src", "action", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def inert(html):
    """The page has only tags that this package writes, no handler, and loads nothing."""
    page = Page(html)
    assert page.tags <= TAGS | MATHML
    assert not [name for name in page.attributes if name.startswith("on")]
    allowed = re.compile(r"(\.\./feedback/[^:]*|https?://[^\s]*|data:image/(png|jpeg);base64,[A-Za-z0-9+/=]*)\Z")
    assert all(allowed.match(link) for link in page.links)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]", html)
    assert "default-src 'none'" in html
    return page

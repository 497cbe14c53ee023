"""Names of products and companies in a take.

A word is a name if it has a capital letter inside a sentence, a capital inside the word, or an entry in the word lists. A word at the
start of a sentence has a capital anyway, so there the word lists and the neighbours decide. The lists are short on purpose, since a
capital letter inside a sentence finds most names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from panel.checks.matching import before
from panel.checks.registry import Claim, Claims, ClaimText, Meaning, Wording, claim_check

if TYPE_CHECKING:
    from collections.abc import Iterator


def _lexicon(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Products and companies that are hardly ever another word, or only at the start of a sentence about them.
_PRODUCTS = _lexicon("""
    amazon apple claude copilot gemini gemma
    ableton adobe airbnb airtable alibaba android ansible anthropic asana aws azure basecamp bitbucket bluesky bytedance
    calendly canva capcut chatgpt circleci clickhouse clickup cloudflare codeium confluence cockroachdb coda couchbase
    cypress databricks datadog dbt deepl deepmind deepseek descript discord docker docusign dropbox duckdb duolingo dvc
    dynatrace elasticsearch elevenlabs eleven-labs etsy evernote expensify facebook ffmpeg figma firebase fivetran flickr
    freshbooks freshdesk fullstory gcp github gitlab gmail godot google grafana grammarly gradle heroku hootsuite hotjar
    hubspot huggingface ibm imovie indesign instacart instagram jasper jenkins jetbrains jira jupyter kafka kaggle klarna
    kubernetes langchain langgraph lakera lastpass lattice lightroom linkedin llama llamaindex lmdb looker mailchimp
    mariadb mastodon matlab medium metabase microsoft midjourney mistral mixpanel mlflow mongodb monday mysql n8n netflix
    netlify netsuite new-relic nginx notebooklm notepad npm nvidia obs obsidian okta ollama onedrive openai opensearch
    openshift oracle otter overleaf pagerduty palantir paypal photoshop pinecone pinterest plaid podman postgres
    postgresql postman powerpoint premiere prezi procreate prometheus pulumi pytorch quickbooks quicken qdrant qwen
    rabbitmq reddit redis redshift replit retool revolut rocksdb runway rust python javascript typescript kotlin golang haskell sagemaker salesforce sap scrivener selenium
    sentry servicenow sharepoint shopify siri skype slack snapchat snowflake snyk sonarqube soundcloud splunk spotify
    sqlite squarespace sourcegraph stability stackoverflow strapi substack sudowrite supabase superset tableau teams
    telegram tensorflow terraform tiktok todoist toggl trello tumblr twilio twitch twitter typeform uber ubuntu udemy
    upwork vercel vimeo visa vllm vmware vscode weaviate webex webflow wechat whatsapp wikipedia wix wordpress workday
    xero xerox yahoo youtube zapier zendesk zoho zoominfo zotero
    """)

# Names that their owners write in small letters.
_ANY_CASE = frozenset({"dbt", "n8n", "npm", "ffmpeg", "vllm", "duckdb", "nginx", "sqlite", "pytorch"})

# Products of the list above that are words too: at the start of a sentence their neighbours must speak for the name.
_ALSO_WORDS = _lexicon("""
    amplitude box coda cursor drift excel front jasper lattice linear loom medium meta monday notion oracle otter pages
    premiere ramp runway segment sketch square stability stripe teams visa whisper word zoom
    """)

# Capitalised words that name no product or company: days, months, places, plans, personas, formats, initials.
_NOT_NAMES = _lexicon("""
    no i i'm i'd i'll i've monday tuesday wednesday thursday friday saturday sunday january february march april may june july
    august september october november december english german french spanish portuguese italian dutch polish swedish danish
    norwegian finnish russian ukrainian turkish arabic hebrew hindi chinese japanese korean vietnamese thai greek latin
    european american british african asian indian canadian australian europe america africa asia britain england germany
    france spain italy china japan india brazil canada australia ireland scotland california london paris berlin frankfurt
    builder skeptic futurist founder creator panel editor critic ship skip mixed verdict internet web god christmas
    pro enterprise premium starter basic plus business team free open source apis sdks llm llms gpus cpus pdfs ai ml api cli
    gui ui ux ide sdk sql html css json csv pdf xml yaml toml http https url urls gpu cpu ram ssd usb ios macos linux windows
    mac unix saas paas b2b b2c crm erp hr it pr ceo cto cfo cio ciso vp us uk eu un usa ok tv dvd cd roi kpi kpis mvp seo sso
    saml rbac oauth ocr etl nlp rag tls ssl vpn dns ip tcp udp ssh ftp rest graphql grpc orm crud ci cd devops qa q&a faq
    gdpr hipaa unicode utf markdown latex ascii png jpeg jpg gif svg mp3 mp4 wav rtf docx xlsx rss id ids nda sla slas
    os pc pcs ar vr xr iot 3d 2d a/b am pm bc ad phd mba dj tam arr mrr cac ltv smb smbs y2k eula tos npcs llc inc ltd gmbh
    """)

# Words that open a sentence before a name without being a part of it.
_OPENERS = _lexicon("""
    a about above across after against all along although among an and another any anybody anyone are around as ask at
    because before behind being below beside besides between beyond both build but buy by call can compare compared consider
    could count despite did do does down during each early either else even ever every everybody everyone everything except
    expect few first five following for former four from further give given had half has have having he her here hers his how
    however if imagine in inside instead into is it its just keep last late later leave less let like little look make many
    may maybe meanwhile might more most much must my name near neither never next no nobody none nor not nothing now of off
    often on once one only open or other others our out outside over past pay perhaps pick plenty point pro put quite rather
    read same say second see several shall she should show similarly since six so some somebody someone something soon still
    such swap take ten than that the their then there these they third this those though three through thus till to today
    together tomorrow too toward towards traditional try two under unless unlike until up upon use versus very via wait was
    we were what when where whereas whether which while who whoever whose why will with within without would yes yet you your
    """)

# What follows a name at the start of a sentence: its product does something.
_NAME_VERBS = _lexicon("""
    already does has offers ships sells charges costs runs gives sends bundles covers owns did added adds bought built can
    could cannot forgets is and or keeps remains sets sits makes might lets launched published publishes released supports tried will would
    """)

# A hyphen belongs to a name before a capital or a digit only: `GPT-4o`, but not `Slack-style`.
_TOKEN = re.compile(
    r"[^\W\d_]\w*(?:[.&+](?=[^\W_])\w+|-(?=[A-Z0-9])\w+){0,4}[+#]{0,2}|[0-9]{1,2}(?:\.[0-9]{1,2}){0,2}[a-zA-Z]{0,2}\b"
)
_MIXED_CASE = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]{2}|[A-Z]\w{0,20}-?[0-9]")
_OPENING, _ENDING = '\n"([', ".!?:;\u2026"
_SKIPPED = f"{_OPENING}'*_~ "
_LONGEST_INITIALS = 5
_LOOK_BACK = 6
_FILE = re.compile(r"\.(?:md|txt|py|sh|toml|ya?ml|json|csv|html?)$", re.IGNORECASE)
_PRODUCTS_ALONE = _PRODUCTS - _ALSO_WORDS
_NO_OPENING_NAMES = _OPENERS | _NOT_NAMES
_CERTIFICATES = frozenset({"soc", "iso", "wcag", "pci", "fedramp"})


@dataclass(frozen=True)
class Name(Meaning):
    """The words of a name, without case."""

    words: tuple[str, ...]


class _Word(NamedTuple):
    """A word; `key` is its text without case, and `starts_sentence` is true for a capital that any word would have there."""

    text: str
    key: str
    start: int
    end: int
    starts_sentence: bool

    @property
    def is_capitalised(self) -> bool:
        return self.text[:1].isupper()

    @property
    def is_upper(self) -> bool:
        return self.text.isupper() and len(self.text) > 1

    @property
    def looks_like_name(self) -> bool:
        """Whether the letters alone show that it is a name."""
        if self.key in _NOT_NAMES or self.text[0].isdigit():
            return False
        if self.key in _ANY_CASE or (self.is_capitalised and self.key in _PRODUCTS_ALONE):
            return True
        if self.is_upper:
            known = self.key.endswith("db") or self.key in _CERTIFICATES
            return known and len(self.text) <= _LONGEST_INITIALS
        return _MIXED_CASE.search(self.text) is not None

    @property
    def is_name(self) -> bool:
        """Whether it is a name, or a part of one, at its place."""
        ordinary = self.text == self.key and self.key not in _ANY_CASE
        if ordinary or self.key in _NOT_NAMES or _FILE.search(self.key):
            return False
        excused = self.starts_sentence or self.is_upper or len(self.text) == 1
        return self.looks_like_name or (self.is_capitalised and not excused)


@claim_check("name", precedence=50, wording=Wording.EACH_WORD)
def _read(subject: ClaimText) -> Claims:
    for group in _groups(subject.text):
        words = tuple(part for word in group for part in re.findall(r"\w+", word.key))
        if words and not all(word in subject.own_words or word.isdigit() for word in words):
            yield Claim((group[0].start, group[-1].end), Name(words))


def _groups(text: str) -> Iterator[list[_Word]]:
    group: list[_Word] = []
    words = [_word(text, found) for found in _TOKEN.finditer(text)]
    for place, word in enumerate(words):
        follows = bool(group) and text[group[-1].end : word.start] == " "
        if group and not (follows and (word.is_name or word.text[0].isdigit())):
            yield group
            group = []
        if word.is_name or group or _is_name_by_neighbours(text, word, words[place + 1 : place + 3]):
            group.append(word)
    if group:
        yield group


def _word(text: str, found: re.Match[str]) -> _Word:
    opens = found[0][0].isupper() and _starts_sentence(before(text, found.start(), _LOOK_BACK))
    return _Word(found[0], found[0].lower(), *found.span(), opens)


def _starts_sentence(preceding: str) -> bool:
    """Return whether a sentence, a line, a list item, a bracket or a quotation begins after a text."""
    last = preceding.rstrip(_SKIPPED)
    gap = preceding[len(last) :]
    if not last or last[-1] in _ENDING:
        return True
    return (last[-1] == "-" and gap.startswith(" ")) or any(mark in gap for mark in _OPENING)


def _is_name_by_neighbours(text: str, word: _Word, after: list[_Word]) -> bool:
    """Return whether the neighbours of a capitalised word at the start of a sentence show that it is a name."""
    if not (word.starts_sentence and word.is_capitalised and after) or word.key in _NO_OPENING_NAMES:
        return False
    gap = text[word.end : after[0].start]
    if gap == " " and after[0].is_name and not after[0].looks_like_name:
        return True  # Monte Carlo, but not Ask Google
    if word.key in _ALSO_WORDS:
        return gap == " " and after[0].key in _NAME_VERBS
    if after[0].key in {"and", "or"}:
        return gap in {", ", " "} and (after[0].is_name or (len(after) > 1 and after[1].is_name))
    return gap == ", " and after[0].is_name

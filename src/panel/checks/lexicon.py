"""Words that tell names from ordinary words where a capital letter does not.

The lists are short on purpose: a capital letter inside a sentence finds most names. They decide at the start of a
sentence, and for capitals that are no product or company.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PRODUCTS = _words("""
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
"""Products and companies that are hardly ever another word, or only at the start of a sentence about them."""

ANY_CASE = frozenset({"dbt", "n8n", "npm", "ffmpeg", "vllm", "duckdb", "nginx", "sqlite", "pytorch"})
"""Names that their owners write in small letters."""

ALSO_WORDS = _words("""
    amplitude box coda cursor drift excel front jasper lattice linear loom medium meta monday notion oracle otter pages
    premiere ramp runway segment sketch square stability stripe teams visa whisper word zoom
    """)
"""Products of the list above that are words too: at the start of a sentence their neighbours must speak for the name."""

NOT_NAMES = _words("""
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
"""Capitalised words that name no product or company: days, months, places, plans, personas, formats, initials."""

OPENERS = _words("""
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
"""Words that open a sentence before a name without being a part of it."""

NAME_VERBS = _words("""
    already does has offers ships sells charges costs runs gives sends bundles covers owns did added adds bought built can
    could cannot forgets is and or keeps remains sets sits makes might lets launched published publishes released supports tried will would
    """)
"""What follows a name at the start of a sentence: its product does something."""

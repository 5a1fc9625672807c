/**
 * The file that `postern init` writes. Prose stands behind `# `, settings to switch on behind a bare `#`: with every
 * bare `#` taken away the file is still valid (tested).
 *
 * @param token the secret of the first token
 */
export const exampleFile = (token: string): string => `\
# yaml-language-server: $schema=./postern.schema.json
#
# The configuration of Postern. Every key is optional; take the # away to use a setting.
#
#   postern check                            says what is wrong, with line and column
#   postern schema > postern.schema.json     lets your editor complete and check this file
#
# \${NAME} and \${NAME:-default} read the environment, \${file:/run/secrets/name} reads a file; $\${ is a plain \${.
# A change of this file takes effect at once, for new requests; a faulty one is reported and changes nothing.

server:
  # 0.0.0.0 opens Postern to your network. Put a proxy with TLS before it where others could listen.
  host: 127.0.0.1
  port: 8787
  # Processes that share the port.
  #workers: 2
  # The address that clients use, where it is another.
  #public_url: https://ai.example.com
  # Host names that stand for a gateway: addresses begin there with the provider, as https://llm.example.com/openai/…
  #domains:
  #  llm.example.com: default
  # Seconds that answers in progress may go on after a stop is asked for.
  #drain: 30
  # Seconds that a provider may take before its first byte; 0: as long as it likes.
  #first_byte_timeout: 600
  # Seconds that a stream of /ai/run goes on without its client, which may come back for the rest.
  #resume_grace: 10
  # The largest request in bytes.
  #max_body: 104857600
  # Who may read /metrics: token (one with "read" for all gateways) or open (anybody who reaches the port).
  #metrics: open

# The {account_id} in addresses. A list keeps code working that was written for another id:
# account: [home, 0123456789abcdef0123456789abcdef]
account: home

storage:
  # postgres://user:password@host/database is shared by several machines.
  database: sqlite:./postern.db
  # Shares limits and budgets between machines.
  #redis: redis://127.0.0.1:6379
  # Encrypts the keys of \`postern key add\`. Without it POSTERN_ENCRYPTION_KEY does, or a file beside the database.
  #encryption_key: \${POSTERN_SECRET:-a-long-secret-of-your-own}

# Who may call. The token is sent as "Authorization: Bearer …" or as "cf-aig-authorization: Bearer …".
# run: call models; read: see records; edit: change settings.
tokens:
  - name: first
    token: ${token}
    permissions: [run, read, edit]
  #- name: laptop
  #  token: \${LAPTOP_TOKEN:-change-this-token}
  #  permissions: [run]
  #  gateways: [default]
  #  rate_limit: 60
  #  rate_limit_period: 60
  #  token_limit: 100000
  #  budget: 20
  #  budget_period: monthly

# Keys by alias; "default" serves callers who name none. A provider that is not mentioned here, or that has no "keys",
# takes its key from its usual variable: OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY and so on.
providers:
  openai:
    keys:
      default: \${OPENAI_API_KEY:-}
      #research: \${OPENAI_KEY_RESEARCH:-}
  anthropic:
    keys:
      default: \${ANTHROPIC_API_KEY:-}
  #google-ai-studio:
  #  keys:
  #    default: \${GEMINI_API_KEY:-}
  #azure-openai:
  #  resource: my-resource
  #  keys:
  #    default: \${AZURE_OPENAI_API_KEY:-}
  #aws-bedrock:
  #  region: eu-central-1
  #  keys:
  #    default: \${AWS_BEARER_TOKEN_BEDROCK:-}
  #ollama:
  #  base_url: http://127.0.0.1:11434

# Servers of your own, reached as custom-<name>/<model>.
# Dialects: openai-chat, anthropic-messages, gemini, bedrock-converse, cohere-chat, ollama-chat, workers-ai.
#custom_providers:
#  workstation:
#    base_url: http://192.168.1.20:8000/v1
#    dialect: openai-chat
#    headers:
#      x-team: home

gateways:
  default:
    # false lets in anyone who reaches the port.
    authentication: true
    collect_logs: true
    # Seconds that an answer is kept for the next one who asks the same; at least 60.
    #cache_ttl: 300
    # How often a provider is asked while it is overloaded or away, and the milliseconds between.
    #retry_max_attempts: 3
    #retry_delay: 500
    #retry_backoff: exponential
    # So many requests in so many seconds.
    #rate_limiting_limit: 600
    #rate_limiting_interval: 60
    #rate_limiting_technique: sliding
    # Every attempt becomes a span there (OpenTelemetry); json or protobuf.
    #otel:
    #  - url: http://127.0.0.1:4318/v1/traces
    #    content_type: protobuf
    # Records go to the receivers under "logpush" below. With logpush_public_key (RSA, in PEM) what was said is
    # encrypted for the holder of its private key.
    #logpush: true
    # Keys of this file serve nobody here: only those of \`postern key add\`, or of the caller's own.
    #byok_only: true
  #experiments:
  #  collect_logs: false

# Callers who bring no key of their own pay for the keys of this file; \`postern credit add 25\` tops them up.
#billing:
#  enabled: true
#  balance: account
#  margin: 0.05

# USD per million tokens, for models whose price is not known or differs.
#prices:
#  openai/my-finetune:
#    input: 1.5
#    output: 6

# Receivers of records, as lines of JSON: a file, a bucket (s3://…) or an address that they are posted to.
#logpush:
#  - url: file:./logs/ai.ndjson
#  - url: https://logs.example.com/ingest
#    headers:
#      authorization: Bearer \${LOGS_TOKEN:-}
#    compression: gzip

log:
  # debug, info, warn, error or silent
  level: info
  # auto: readable on a terminal, JSON elsewhere
  format: auto
`

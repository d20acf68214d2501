"""The SDL of section 6, word for word, and what of it this version has to have."""
# ruff: noqa: E501  # quoted as it stands in the contract
# quoted as it stands in the contract

CONTRACT = """
type Query { viewer: Viewer!  node(id: ID!): Node  brand(id: ID!): Brand  brands(first: Int = 20, after: String): BrandConnection! }
type Brand implements Node {
  id: ID!  name: String!  languages: [String!]!  timezone: String!
  mentions(first: Int = 20, after: String, where: MentionFilter, order: MentionOrder = NEWEST): MentionConnection!
  posts(first: Int = 20, after: String, where: PostFilter): PostConnection!
  conversations(first: Int = 20, after: String, where: ConversationFilter): ConversationConnection!
  members(first: Int = 20, after: String, where: MemberFilter): MemberConnection!
  threads(first: Int = 20, after: String): ThreadConnection!  identities(first: Int = 20, after: String, where: IdentityFilter): IdentityConnection!
  arrivals(first: Int = 20, after: String, state: ArrivalState): ArrivalConnection!
  channels: [Channel!]!  savedQueries: [SavedQuery!]!  alerts(first: Int = 20, after: String): AlertConnection!
  metrics(keys: [MetricKey!]!, from: DateTime!, to: DateTime!, interval: Interval!, groupBy: [Dimension!], where: MentionFilter): [MetricSeries!]!
  shareOfVoice(from: DateTime!, to: DateTime!): [Share!]!
  scorecard(from: DateTime!, to: DateTime!): Scorecard!
  ledger(from: DateTime!, to: DateTime!): CriticismLedger!
  exchange(from: DateTime!, to: DateTime!): Exchange!
}
input MentionFilter {
  networks: [Network!] channelIds: [ID!] kinds: [MentionKind!] visibility: Visibility languages: [String!] sentiments: [SentimentLabel!] intents: [Intent!]
  labelIds: [ID!] queryIds: [ID!] authorId: ID authorKinds: [AuthorKind!] threadId: ID minRating: Float search: String since: DateTime until: DateTime deleted: Boolean = false
}
type Mention implements Node {
  id: ID! network: Network! kind: MentionKind! visibility: Visibility! externalId: String! url: String
  text: String language: String media: [Media!]! rating: Float
  publishedAt: DateTime! observedAt: DateTime! editedAt: DateTime deletedAt: DateTime history: [Edit!]!
  author: Identity authorKind: AuthorKind! channel: Channel parent: Mention thread: Thread conversation: Conversation
  engagement: Engagement!
  sentiment: Sentiment intents: [Intent!] urgency: Float offence: Float topics: [String!]
  labels: [Label!]! matches: [Match!]! duplicateOf: Mention reach: Int
}
enum MentionOrder { NEWEST OLDEST BEST }
type Identity implements Node { id: ID! network: Network! externalId: String! handle: String name: String url: String }
type Engagement { likes: Int replies: Int shares: Int views: Int }
type Edit { text: String editedAt: DateTime observedAt: DateTime! }
type Media { url: String! kind: String! alt: String }
type Subscription { mentions(brandId: ID!, after: Int): MentionEvent! }
type Post implements Node { id: ID! status: PostStatus! text: String! scheduledAt: DateTime localTime: String timezone: String variants: [Variant!]! }
type Variant { id: ID! channel: Channel! status: VariantStatus! text: String! externalId: String url: String publishedAt: DateTime problems: [Problem!]! outgoing: [Outgoing!]! }
"""

# What comes with later work, and nothing else, may be missing.
LATER = {
    "Brand": {"conversations", "members", "savedQueries", "alerts", "shareOfVoice", "scorecard", "ledger", "exchange"},
    "MentionFilter": {"sentiments", "intents", "labelIds", "queryIds"},
    "Mention": {"conversation", "sentiment", "intents", "urgency", "offence", "topics", "labels", "matches",
                "duplicateOf", "reach"},
}  # fmt: skip

ENUMS = {
    "MentionKind": {"POST", "COMMENT", "REPLY", "MESSAGE", "REVIEW", "STORY", "ARTICLE"},
    "AuthorKind": {"CONSUMER", "BRAND", "BOT", "UNKNOWN"},
    "Visibility": {"PUBLIC", "PRIVATE"},
    "Interval": {"HOUR", "DAY", "WEEK", "MONTH"},
    "ArrivalState": {"RECEIVED", "SETTLED", "IGNORED", "UNREADABLE", "DEAD"},
    "PostStatus": {"DRAFT", "IN_REVIEW", "APPROVED", "SCHEDULED", "PUBLISHING", "PUBLISHED", "PARTLY_PUBLISHED",
                   "FAILED", "UNCERTAIN", "HELD", "CANCELLED"},
    "VariantStatus": {"DRAFT", "IN_REVIEW", "APPROVED", "SCHEDULED", "PUBLISHING", "PUBLISHED", "FAILED",
                      "UNCERTAIN", "HELD", "CANCELLED"},
    "OutgoingState": {"WAITING", "SENDING", "LIVE", "REFUSED", "RETRYING", "UNCERTAIN", "DROPPED"},
}  # fmt: skip

MUTATIONS = {
    "connectChannel": "channel", "updateChannel": "channel", "pauseChannel": "channel", "resumeChannel": "channel",
    "removeChannel": "channel", "replayArrival": "arrival", "createPost": "post", "updatePost": "post",
    "schedulePost": "post", "publishPost": "post", "cancelPost": "post", "deletePost": None,
    "settleOutgoing": "outgoing",
}  # fmt: skip

package slack

// The limits of Block Kit (docs.slack.dev/reference/block-kit). Lengths count
// UTF-16 units of the escaped text, which is never less than what Slack counts.
const (
	maxBlocks   = 50  // blocks of a message ("Blocks")
	maxView     = 100 // blocks of a modal and of the app home ("Views")
	maxHeader   = 150
	maxSection  = 3000
	maxButton   = 75 // text of a button
	maxOption   = 75 // text of an option of a select
	maxOptions  = 100
	maxGroups   = 100 // groups of options of a select
	maxElements = 25  // of an actions block
	maxHolder   = 150 // placeholder of a select
	maxModal    = 24  // title, submit and close of a modal
	maxMetadata = 3000
	maxLabel    = 2000 // label and hint of an input
	maxInput    = 3000 // characters typed into an input

	// maxMessage is how much text all blocks of a message may have together.
	// It is not documented: msg_blocks_too_long was observed above 13,200
	// (github.com/slackapi/bolt-js/issues/2509).
	maxMessage = 12_000
	// maxText is the longest text of a message that Slack advises
	// (docs.slack.dev/reference/methods/chat.postMessage, "Truncating content").
	maxText = 4000
	// maxPreview is how much of a message stands in its fallback text, which is
	// shown in notifications and read aloud.
	maxPreview = 1000
	// maxSelects is how many selects a menu is divided into, so that a message
	// is not all menu.
	maxSelects = 5
	// phone is how many columns of monospaced text fit beside each other on a
	// phone; wider tables become records.
	phone = 36
)

package discord

// Codes of Discord's JSON errors (developers/topics/opcodes-and-status-codes).
const (
	codeUnknownChannel      = 10003
	codeUnknownGuild        = 10004
	codeUnknownMember       = 10007
	codeUnknownMessage      = 10008
	codeUnknownUser         = 10013
	codeUnknownWebhook      = 10015
	codeUnknownInteraction  = 10062
	codeTooLarge            = 40005
	codeAcknowledged        = 40060
	codeMissingAccess       = 50001
	codeNotOurs             = 50005 // a message of somebody else cannot be edited
	codeEmptyMessage        = 50006
	codeCannotDM            = 50007
	codeMissingPermissions  = 50013
	codeInvalidWebhookToken = 50027
	codeInvalidForm         = 50035
	codeFileTooLarge        = 50045
	codeInvalidFile         = 50046
	codeThreadArchived      = 50083
	codeNoReply             = 160002
	codeAutoModeration      = 200000
	codeAutoModerationTitle = 200001
	codeExplicit            = 20009 // a content filter refuses a file
	codeFilesLimited        = 400001
)

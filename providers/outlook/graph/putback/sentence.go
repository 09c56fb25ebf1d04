package putback

import (
	"errors"
	"net/http"
	"slices"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// tooLarge are the codes of what is larger than the mailbox allows.
var tooLarge = []string{"ErrorMessageSizeExceeded", "ErrorAttachmentSizeLimitExceeded", "ErrorItemSizeExceeded"}

// poison says that an error is about this one item: others can be put back all the same.
func poison(err error) error { return errors.Join(outlook.ErrPoison, err) }

// noMailbox are the codes of what is not found because the whole mailbox is not there.
var noMailbox = []string{"ErrorInvalidUser", "ErrorNonExistentMailbox", "MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "Request_ResourceNotFound"}

// gone says outlook.ErrGone of an error because somebody has removed the folder that is
// written to, or the item, meanwhile.
func gone(err error) error {
	var e *graph.Error
	if !errors.Is(err, graph.ErrNotFound) || errors.As(err, &e) && slices.ContainsFunc(append([]string{e.Code}, e.Inner...), func(code string) bool { return slices.Contains(noMailbox, code) }) {
		return err
	}
	return errors.Join(err, outlook.ErrGone)
}

// say puts a sentence before what the client has none for.
func (t target) say(err error) error {
	var e *graph.Error
	var said *keepwatch.Error
	if !errors.As(err, &e) || errors.As(err, &said) {
		return err
	}
	switch {
	case slices.ContainsFunc(append([]string{e.Code}, e.Inner...), func(code string) bool { return slices.Contains(tooLarge, code) }), e.Status == http.StatusRequestEntityTooLarge:
		return keepwatch.Errorf(keepwatch.KindInvalid, "It is larger than the mailbox %s allows for one message. Raise its limit in Exchange Online (Set-Mailbox -MaxReceiveSize 150MB -MaxSendSize 150MB), and restore it again.", t.mailbox).Because(poison(err))
	case e.Status == http.StatusBadRequest:
		return keepwatch.Errorf(keepwatch.KindInvalid, "Microsoft 365 does not take it (%s). It stays in the archive.", e.Code).Because(poison(err))
	}
	return err
}

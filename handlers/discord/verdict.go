package discord

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"keepwatch"
)

// authLater is when a message is tried again after the token was refused: a
// mended token delivers it.
const authLater = 5 * time.Minute

// refusalOf gives the *apiError in an error, or nil.
func refusalOf(err error) *apiError {
	var refusal *apiError
	if errors.As(err, &refusal) {
		return refusal
	}
	return nil
}

// verdict makes a *keepwatch.PostError of what became of a message to a channel.
func verdict(err error, channel string) error {
	refusal := refusalOf(err)
	post := &keepwatch.PostError{Err: err}
	if refusal == nil {
		return post
	}
	switch {
	case refusal.Status == http.StatusTooManyRequests:
		post.Verdict, post.After = keepwatch.VerdictLater, refusal.RetryAfter
	case refusal.Unsent:
		post.Verdict = keepwatch.VerdictLater
	case refusal.Status == http.StatusUnauthorized:
		post.Verdict, post.After, post.Err = keepwatch.VerdictLater, authLater, badToken(err)
	case refusal.Status >= 400 && refusal.Status < 500 && refusal.Code == 0:
		// A proxy's page, or one that stands before Discord. It may pass; where it
		// does not, it must not hold up its channel for ever.
		post.Odd = refusal.Status != http.StatusRequestTimeout && refusal.Status != http.StatusTooEarly
	case refusal.Status >= 400 && refusal.Status < 500:
		if text := reason(refusal, channel); text != "" {
			post.Verdict, post.Err = keepwatch.VerdictNever, keepwatch.Errorf(keepwatch.KindAttention, "%s", text).Because(err)
		}
	}
	return post
}

// reason says for an admin why a channel takes no message, and what to do.
func reason(refusal *apiError, channel string) string {
	switch refusal.Code {
	case codeUnknownChannel:
		return fmt.Sprintf("The Discord channel %s is not there any more. Name another one in keepwatch.yaml, or ask from another channel.", channel)
	case codeMissingAccess:
		return fmt.Sprintf("The bot may not see the Discord channel %s. Give it (or its role) View Channel there.", channel)
	case codeMissingPermissions:
		return fmt.Sprintf("The bot may not write in the Discord channel %s. Give it (or its role) Send Messages and Embed Links there.", channel)
	case codeCannotDM, codeUnknownUser:
		return fmt.Sprintf("Discord delivers no direct message to %s: that person takes none from this server, or shares no server with the bot.", channel)
	case codeThreadArchived:
		return fmt.Sprintf("The Discord thread %s is archived and locked. Open it again, or name another channel.", channel)
	case codeAutoModeration, codeAutoModerationTitle:
		return fmt.Sprintf("AutoMod of the server refuses a message in the Discord channel %s. Let the bot's role pass its rules.", channel)
	}
	return fmt.Sprintf("Discord refuses a message in the channel %s (%d: %s).", channel, refusal.Code, cut(refusal.Message, 200))
}

// goneVerdict is for a message that cannot be edited any more, so that a new one
// takes its place.
func goneVerdict(err error) error {
	return &keepwatch.PostError{Verdict: keepwatch.VerdictGone, Err: err}
}

// tokenOver reports whether an interaction can no longer be answered by its
// token, or never could: then the channel is used.
func tokenOver(err error) bool {
	refusal := refusalOf(err)
	if refusal == nil {
		return false
	}
	switch refusal.Code {
	case codeInvalidWebhookToken, codeUnknownWebhook, codeUnknownInteraction, codeUnknownMessage:
		return true
	}
	return refusal.Status == http.StatusUnauthorized || refusal.Status == http.StatusNotFound || refusal.Status == http.StatusForbidden
}

// unwrapped takes off the mark that something was not recorded.
func unwrapped(err error) error {
	var r notRecorded
	if errors.As(err, &r) {
		return r.error
	}
	return err
}

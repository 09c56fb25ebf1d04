package slack

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"keepwatch"
)

// codeOf gives Slack's name of an error ("channel_not_found"), or "".
func codeOf(err error) string {
	var refused slack.SlackErrorResponse
	if errors.As(err, &refused) {
		return refused.Err
	}
	return ""
}

// fatal reports whether an error of Slack stays until a person does something
// about the token. slack-go knows four of them.
func fatal(code string) bool {
	return slices.Contains([]string{
		"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type", "missing_scope",
		"no_permission", "org_login_required", "app_not_found", "app_uninstalled", "access_denied", "invalid_app", "invalid_app_id", "team_access_not_granted", "two_factor_setup_required",
	}, code)
}

// tokenFault says what to do about a token that Slack refuses.
func tokenFault(variable string, err error) *keepwatch.Error {
	return tokenSentence(variable, err).Because(err)
}

func tokenSentence(variable string, err error) *keepwatch.Error {
	var detail slack.SlackErrorResponse
	errors.As(err, &detail)
	code, lacking := detail.Err, "a scope"
	if detail.Needed != "" {
		lacking = "the scope " + detail.Needed
	}
	page := "“OAuth & Permissions” of the app at api.slack.com/apps"
	kind := "one that begins with xoxb-"
	if variable == "SLACK_APP_TOKEN" {
		page = "“Basic Information”, “App-Level Tokens” of the app at api.slack.com/apps"
		kind = "one that begins with xapp-"
	}
	switch code {
	case "not_allowed_token_type":
		return keepwatch.Errorf(keepwatch.KindAttention, "Slack says that %s is a token of another kind (%s). Put in %s, from %s, and start Keepwatch again.", variable, code, kind, page)
	case "missing_scope", "no_permission":
		if variable == "SLACK_APP_TOKEN" {
			return keepwatch.Errorf(keepwatch.KindAttention, "The token in SLACK_APP_TOKEN lacks the scope connections:write (%s). Make one with it at %s, and start Keepwatch again.", code, page)
		}
		return keepwatch.Errorf(keepwatch.KindAttention, "The token in %s lacks %s (%s). Compare the app with `bot manifest slack`, install it again, and start Keepwatch again.", variable, lacking, code)
	case "token_expired":
		return keepwatch.Errorf(keepwatch.KindAttention, "The token in %s has expired. Take a new one from %s; switch off token rotation; start Keepwatch again.", variable, page)
	case "account_inactive", "token_revoked", "app_uninstalled":
		return keepwatch.Errorf(keepwatch.KindAttention, "The app was removed from the workspace, or its token in %s was revoked (%s). Install it again at %s, put the token in, and start Keepwatch again.", variable, code, page)
	case "":
		return keepwatch.Errorf(keepwatch.KindAttention, "Slack refuses the connection. Check %s at %s, and start Keepwatch again.", variable, page)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "Slack does not accept %s (%s). Take the token anew from %s, and start Keepwatch again.", variable, code, page)
}

// authAfter is how long a message waits while the token is refused.
const authAfter = time.Minute

// verdict says what an error of a call that posts means for the message. where
// names the channel for people.
func (f *Frontend) verdict(err error, where string) error {
	var already *keepwatch.PostError
	if err == nil || errors.As(err, &already) {
		return err
	}
	var limited *slack.RateLimitedError
	var status slack.StatusCodeError
	code := codeOf(err)
	later := func(after time.Duration) error {
		return &keepwatch.PostError{Verdict: keepwatch.VerdictLater, After: after, Err: err}
	}
	never := func(format string, args ...any) error {
		return &keepwatch.PostError{Verdict: keepwatch.VerdictNever, Err: keepwatch.Errorf(keepwatch.KindAttention, format, args...).Because(err)}
	}
	switch {
	case errors.As(err, &limited):
		return later(limited.RetryAfter)
	case errors.As(err, &status) && status.Code == http.StatusTooManyRequests:
		return later(0) // without a Retry-After
	case code == "ratelimited" || code == "rate_limited" || code == "message_limit_exceeded":
		return later(0)
	case fatal(code) && code != "no_permission" && code != "access_denied":
		// The message is not what is refused: once the token is mended it can
		// be delivered, so it stays. Meanwhile the bot is not ready, and says so.
		f.setFault(tokenFault("SLACK_BOT_TOKEN", err))
		return later(authAfter)
	case code == "":
		if unsent(err) {
			return later(0)
		}
		if refusedByHTTP(err) {
			return &keepwatch.PostError{Verdict: keepwatch.VerdictUnsure, Odd: true, Err: keepwatch.Errorf(keepwatch.KindAttention,
				"Slack, or something on the way to it, refuses the message for %s without a reason (HTTP %d).", where, status.Code).Because(err)}
		}
		return &keepwatch.PostError{Verdict: keepwatch.VerdictUnsure, Err: err}
	case passing(code):
		return &keepwatch.PostError{Verdict: keepwatch.VerdictUnsure, Err: err}
	}
	switch code {
	case "channel_not_found", "user_not_found", "users_not_found", "user_not_visible":
		return never("Slack knows no channel %s that Keepwatch may see. Was it deleted, or is it private? Invite the bot with /invite, or name another channel.", where)
	case "is_archived":
		return never("The channel %s of Slack is archived. Restore it, or name another channel.", where)
	case "not_in_channel":
		return never("Keepwatch is not in the channel %s of Slack. Invite the bot there with /invite.", where)
	case "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "no_permission", "access_denied", "ekm_access_denied", "posting_to_general_channel_denied":
		return never("Slack does not let Keepwatch post in %s (%s). An admin of the workspace can allow it.", where, code)
	case "cannot_dm_bot", "user_disabled", "messages_tab_disabled", "user_not_in_channel":
		return never("Slack does not let Keepwatch write to %s (%s).", where, code)
	case "cannot_reply_to_message", "channel_type_not_supported", "no_text":
		return never("Slack refuses the message for %s (%s).", where, code)
	}
	// Slack has more codes than its pages list, and many pass by themselves
	// (update_failed, external_channel_migrating): only what is listed above is
	// refused at once. How long another one is borne the outbox decides.
	return &keepwatch.PostError{Verdict: keepwatch.VerdictLater, Odd: true, Err: keepwatch.Errorf(keepwatch.KindAttention, "Slack refuses the message for %s (%s).", where, code).Because(err)}
}

// refusedByHTTP reports whether a call was refused by its HTTP status alone, by
// Slack or by a proxy before it: no message is in such an answer, and nothing says
// whether it passes.
func refusedByHTTP(err error) bool {
	var status slack.StatusCodeError
	if !errors.As(err, &status) {
		return false
	}
	switch status.Code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status.Code >= 300 && status.Code < 500
}

// unsent reports whether a call failed before anything of it was sent.
func unsent(err error) bool {
	var dns *net.DNSError
	var op *net.OpError
	return errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial"
}

// editVerdict is verdict for a change of a message.
func (f *Frontend) editVerdict(err error, where string) error {
	switch codeOf(err) {
	case "message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found", "is_inactive":
		return &keepwatch.PostError{Verdict: keepwatch.VerdictGone, Err: err}
	}
	return f.verdict(err, where)
}

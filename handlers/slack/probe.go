package slack

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"keepwatch"
)

// probeTimeout is how long Probe may take in all.
const probeTimeout = 15 * time.Second

// Probe says what is configured, whether Slack accepts it, and what to do next.
// It uses the network.
func (f *Frontend) Probe(ctx context.Context) []keepwatch.Probe {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	probes := []keepwatch.Probe{f.probeBot(ctx)}
	if probes[0].Status == keepwatch.ProbeGood || probes[0].Status == keepwatch.ProbeWarn {
		probes = append(probes, f.probeGroups(ctx)...)
	}
	if f.socket != nil {
		probes = append(probes, f.probeApp(ctx))
	}
	return append(probes, f.probeHTTP())
}

// probeBot asks who the bot is, and compares what it may do with what it needs.
func (f *Frontend) probeBot(ctx context.Context) keepwatch.Probe {
	p := keepwatch.Probe{Name: "Slack bot token"}
	granted := ""
	api := slack.New(f.cfg.BotToken.Reveal(), slack.OptionHTTPClient(f.http), slack.OptionAPIURL(f.base), slack.OptionLog(silent{}),
		slack.OptionOnResponseHeaders(func(_ string, h http.Header) { granted = h.Get("X-Oauth-Scopes") }))
	who, err := api.AuthTestContext(ctx)
	if err != nil {
		return refused(p, "SLACK_BOT_TOKEN", "xoxb-", f.cfg.BotToken, err)
	}
	p.Status, p.Text = keepwatch.ProbeGood, fmt.Sprintf("the token works: it is %s, in the workspace %s", who.User, who.Team)
	if granted == "" {
		return p // Slack did not say
	}
	var have, missing []string
	for s := range strings.SplitSeq(granted, ",") {
		have = append(have, strings.TrimSpace(s))
	}
	for _, s := range scopes(len(f.cfg.Groups) > 0) {
		if !slices.Contains(have, s.Name) {
			missing = append(missing, s.Name+" ("+s.Why+")")
		}
	}
	if len(missing) > 0 {
		p.Status = keepwatch.ProbeWarn
		if slices.ContainsFunc(missing, func(m string) bool { return strings.HasPrefix(m, "chat:write") || strings.HasPrefix(m, "commands") }) {
			p.Status = keepwatch.ProbeBad
		}
		p.Text += "; it lacks " + strings.Join(missing, ", ")
		p.Next = "Put the output of `bot manifest slack` into the app's manifest, and install the app again."
	}
	return p
}

// refused says why a token does not work.
func refused(p keepwatch.Probe, variable, prefix string, token keepwatch.Secret, err error) keepwatch.Probe {
	p.Status = keepwatch.ProbeBad
	code := codeOf(err)
	if code == "" {
		p.Text, p.Next = "Slack does not answer: "+withoutURL(err).Error(), "Is the network there? Is SLACK_API_URL right, where it is set?"
		return p
	}
	p.Text, p.Next = "Slack refuses it: "+code, tokenFault(variable, err).Message
	if !strings.HasPrefix(token.Reveal(), prefix) {
		p.Next = fmt.Sprintf("%s must begin with %s. Is it another of Slack's tokens?", variable, prefix)
	}
	return p
}

// probeGroups looks whether the user groups that carry a role are there.
func (f *Frontend) probeGroups(ctx context.Context) (probes []keepwatch.Probe) {
	for _, id := range f.cfg.Groups {
		p := keepwatch.Probe{Name: "Slack user group " + id, Status: keepwatch.ProbeGood}
		members, err := f.api.GetUserGroupMembersContext(ctx, id)
		if err != nil {
			p.Status, p.Text = keepwatch.ProbeBad, "who is in it cannot be found out ("+orElse(codeOf(err), "no answer")+"); "+countsForNobody
			if left := f.groups.left(id); left > 0 && !denied(err) { // in the running bot
				p.Text += fmt.Sprintf(" in %s, unless Slack answers before", keepwatch.FormatDuration(left.Truncate(time.Second)))
			}
			p.Next = "Is the id in keepwatch.yaml right (it begins with S), and has the app the scope usergroups:read?"
		} else {
			p.Text = keepwatch.FormatCount(int64(len(members)), "member")
		}
		probes = append(probes, p)
	}
	return probes
}

// probeApp opens a connection of Socket Mode as far as its address.
func (f *Frontend) probeApp(ctx context.Context) keepwatch.Probe {
	p := keepwatch.Probe{Name: "Slack Socket Mode", Status: keepwatch.ProbeGood, Text: "the app token is accepted"}
	api := slack.New(f.cfg.BotToken.Reveal(), slack.OptionAppLevelToken(f.cfg.AppToken.Reveal()), slack.OptionHTTPClient(f.http), slack.OptionAPIURL(f.base), slack.OptionLog(silent{}))
	if _, _, err := api.StartSocketModeContext(ctx); err != nil {
		return refused(p, "SLACK_APP_TOKEN", "xapp-", f.cfg.AppToken, err)
	}
	return p
}

// probeHTTP says how requests over HTTP are taken.
func (f *Frontend) probeHTTP() keepwatch.Probe {
	p := keepwatch.Probe{Name: "Slack over HTTP", Status: keepwatch.ProbeOff, Text: "not configured; Socket Mode is used"}
	switch {
	case f.web == nil:
	case f.socket != nil:
		p.Text = "both SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are set: Socket Mode is used"
		p.Next = "Leave one of them out, so that it is clear which is meant."
	case !f.cfg.Listening:
		p.Status, p.Text = keepwatch.ProbeBad, "SLACK_SIGNING_SECRET is set, and BOT_LISTEN is not, so that nothing arrives"
		p.Next = "Set BOT_LISTEN=127.0.0.1:8080 and have your web server pass /slack/ on to it; or set SLACK_APP_TOKEN for Socket Mode, which needs no address."
	default:
		p.Status, p.Text = keepwatch.ProbeGood, "signed requests are taken at /slack/commands, /slack/interactions and /slack/events"
	}
	return p
}

package cpanel

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"

	"keepwatch"
)

// sessionSaid is what the log of a transfer session says: one JSON object a line
// (fetch_transfer_session_log in cPanel's WHM document, and its page of log files).
type sessionSaid struct {
	lines   []string // for people
	failure string   // why the account was not restored; "": nothing says so
	logfile string   // of the account's restore

	warnings, skipped int64 // of the account's restore
}

func readSession(raw string) sessionSaid {
	var s sessionSaid
	for line := range strings.SplitSeq(raw, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		var l struct {
			Type     text            `json:"type"`
			Contents json.RawMessage `json:"contents"`
		}
		if json.Unmarshal([]byte(line), &l) != nil {
			s.lines = append(s.lines, line)
			continue
		}
		var control struct {
			Action  text            `json:"action"`
			Queue   text            `json:"queue"`
			Item    text            `json:"item"`
			LogFile text            `json:"logfile"`
			Msg     json.RawMessage `json:"msg"`
		}
		if l.Type != "control" || json.Unmarshal(l.Contents, &control) != nil {
			if said := plainly(l.Contents); said != "" {
				s.lines = append(s.lines, string(l.Type)+": "+said)
			}
			continue
		}
		if control.Queue == "RESTORE" && control.LogFile != "" {
			s.logfile = path.Base(string(control.LogFile))
		}
		var m struct {
			Failure  text   `json:"failure"`
			Warnings number `json:"warnings"`
			Skipped  number `json:"skipped_items"`
		}
		_ = json.Unmarshal(control.Msg, &m) // it is a text now and then
		switch control.Action {
		case "failed-item":
			s.failure = string(m.Failure)
			if s.failure == "" {
				s.failure = "The item " + string(control.Item) + " failed."
			}
			s.lines = append(s.lines, fmt.Sprintf("%s failed: %s", control.Queue, s.failure))
		case "success-item":
			if control.Queue == "RESTORE" {
				s.warnings, s.skipped = s.warnings+int64(m.Warnings), s.skipped+int64(m.Skipped)
			}
			s.lines = append(s.lines, fmt.Sprintf("%s of %s succeeded, with %s and %s.", control.Queue, control.Item,
				keepwatch.FormatCount(int64(m.Warnings), "warning"), keepwatch.FormatCount(int64(m.Skipped), "skipped item")))
		}
	}
	return s
}

// plainly gives the text of a line's contents, which may be a text, a list of texts,
// or an object with a msg.
func plainly(contents json.RawMessage) string {
	var several list[text]
	if json.Unmarshal(contents, &several) == nil {
		return strings.Join(hostSaid(several), " ")
	}
	var object struct {
		Msg list[text] `json:"msg"`
	}
	if json.Unmarshal(contents, &object) == nil {
		return strings.Join(hostSaid(object.Msg), " ")
	}
	return ""
}

func (e *errand) fetchLog(ctx context.Context, name string) (string, error) {
	var answer struct {
		Log text `json:"log"`
	}
	err := e.host.whm(ctx, "fetch_transfer_session_log", url.Values{"transfer_session_id": {e.st.Session}, "logfile": {name}}, &answer)
	return string(answer.Log), err
}

// sessionLog gives what WHM wrote about the session: the log of the account where
// there is one, and otherwise that of the session.
func (e *errand) sessionLog(ctx context.Context) keepwatch.ServerLog {
	if e.st.Session == "" {
		return keepwatch.ServerLog{}
	}
	raw, err := e.fetchLog(ctx, masterLog)
	if err != nil {
		e.log.WarnContext(ctx, "the log of a transfer session cannot be read", "session", e.st.Session, "error", err)
		return keepwatch.ServerLog{Name: e.st.Session, Text: "(The log could not be read.)"}
	}
	s := readSession(raw)
	heed := ""
	if s.warnings+s.skipped > 0 {
		heed = fmt.Sprintf("WHM gave %s and left out %s. Which these are is in its log.", keepwatch.FormatCount(s.warnings, "warning"), keepwatch.FormatCount(s.skipped, "item"))
	}
	lines := s.lines
	if s.logfile != "" {
		if more, err := e.fetchLog(ctx, s.logfile); err == nil {
			lines = append(lines, readSession(more).lines...)
		}
	}
	return keepwatch.ServerLog{Name: e.st.Session, Text: logEnd(strings.Join(lines, "\n"), keepwatch.MaxServerLog), Heed: heed}
}

package slack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"keepwatch"
)

// A file goes into a message as an image block that names it
// (docs.slack.dev/reference/block-kit/composition-objects/slack-file-object). It is
// uploaded before, and shared nowhere: nobody sees it until the message is there.
// So the message is the only thing that is seen, with our id in its metadata, and
// what a crash leaves behind is a file that is in no channel. A file that is shared
// by files.completeUploadExternal would be a message of its own, which can bear no
// metadata and whose ts Slack does not give.

const (
	// maxAlt is how long the description of an image may be
	// (docs.slack.dev/reference/methods/files.getUploadURLExternal, "alt_txt_too_large").
	maxAlt = 1000
	// maxUploads is how often the files of a message are uploaded, or are not taken
	// into it, before it goes without them.
	maxUploads = 6
	// unready is how long a message waits whose files Slack is still at work on: it
	// takes them in after it has said that it has
	// (github.com/slackapi/python-slack-sdk/issues/1521).
	unready = time.Second
)

// uploads are the files of messages that are not settled yet.
type uploads struct {
	mu sync.Mutex
	of map[string]*upload // by message
}

// upload is what became of the files of one message.
type upload struct {
	ids   []string // Slack's, of each file; "" where it is not there
	tries int
	why   string // why the message goes without them; "": it does not
}

// mostUploads is of how many messages the files are remembered. Beyond that they are
// uploaded anew, which nobody sees.
const mostUploads = 200

// get gives what is known of a message's files. A message is posted by one goroutine
// at a time.
func (u *uploads) get(key string, files int) *upload {
	u.mu.Lock()
	defer u.mu.Unlock()
	if known := u.of[key]; known != nil && len(known.ids) == files {
		return known
	}
	if u.of == nil || len(u.of) >= mostUploads {
		u.of = map[string]*upload{}
	}
	u.of[key] = &upload{ids: make([]string, files)}
	return u.of[key]
}

// settle forgets the files of a message that is there, or never will be.
func (u *uploads) settle(key string, err error) {
	var p *keepwatch.PostError
	if err != nil && (!errors.As(err, &p) || p.Verdict == keepwatch.VerdictUnsure || p.Verdict == keepwatch.VerdictLater) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.of, key)
}

// prepare renders a message, with its files uploaded. key is the same at each
// attempt. An error is a *keepwatch.PostError: nothing was posted yet. Files that
// Slack does not take are left out, with a sentence.
func (f *Frontend) prepare(ctx context.Context, key string, m keepwatch.Message) (payload, error) {
	if len(m.Files) == 0 {
		return render(m), nil
	}
	u := f.uploads.get(key, len(m.Files))
	var images []slack.Block
	for i, file := range m.Files {
		if !isImage(file) {
			m.Blocks = append(slices.Clip(m.Blocks), keepwatch.Text(left(file, "Slack shows pictures only in a message.")))
			continue
		}
		if err := f.upload(ctx, u, i, file); err != nil {
			return payload{}, err
		}
		if u.why != "" {
			m.Blocks = append(slices.Clip(m.Blocks), keepwatch.Text(left(file, u.why)))
			continue
		}
		images = append(images, pictureBlock(file, u.ids[i]))
	}
	p := render(m, images...)
	return p, nil
}

// left says that a file is not in a message.
func left(file keepwatch.File, why string) string {
	return fmt.Sprintf("%s could not be put here. %s", file.Name, why)
}

// isImage reports whether a file is one that an image block shows ("Currently only
// png, jpg, jpeg, and gif Slack image files are supported").
func isImage(f keepwatch.File) bool {
	return slices.Contains([]string{"image/png", "image/jpeg", "image/gif"}, f.Type) && len(f.Data) > 0
}

// pictureBlock shows an uploaded file.
func pictureBlock(file keepwatch.File, id string) slack.Block {
	return slack.ImageBlock{Type: slack.MBTImage, AltText: alt(file), SlackFile: &slack.SlackFileObject{ID: id}}
}

func alt(file keepwatch.File) string {
	if text := clip(line(file.Alt), maxAlt); text != "" {
		return text
	}
	return clip(line(file.Name)+" ", maxAlt)
}

// upload brings one file to Slack, unless it is there. Where Slack does not take it
// for good, u says why.
func (f *Frontend) upload(ctx context.Context, u *upload, i int, file keepwatch.File) error {
	switch {
	case u.why != "" || u.ids[i] != "":
		return nil
	case len(file.Data) > keepwatch.MaxFile:
		u.why = "It is larger than " + keepwatch.FormatBytes(keepwatch.MaxFile) + "."
		return nil
	}
	id, err := f.bring(ctx, file)
	if err == nil {
		u.ids[i] = id
		return nil
	}
	return f.unloaded(u, err)
}

// bring uploads a file and shares it nowhere.
func (f *Frontend) bring(ctx context.Context, file keepwatch.File) (id string, err error) {
	to, err := f.api.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{AltTxt: alt(file), FileName: file.Name, FileSize: len(file.Data)})
	if err != nil {
		return "", err
	}
	if to.FileID == "" || to.UploadURL == "" {
		return "", errors.New("slack: an answer to files.getUploadURLExternal that makes no sense")
	}
	if err := f.uploadTo(ctx, to.UploadURL, file.Data); err != nil {
		return "", err
	}
	done, err := f.api.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{Files: []slack.FileSummary{{ID: to.FileID, Title: file.Name}}})
	switch {
	case err != nil:
		return "", err
	case len(done.Files) != 1:
		return "", errors.New("slack: an answer to files.completeUploadExternal that makes no sense")
	}
	return to.FileID, nil
}

// uploadTo sends the bytes, as they are. slack-go's UploadToURL sends the bot's token
// along, which the address does not need: it is as good as a password itself.
func (f *Frontend) uploadTo(ctx context.Context, address string, data []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(data))
	if err != nil {
		return errors.New("slack: an upload address that is none")
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := f.http.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4096)) // so that the connection is used again
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return &slack.RateLimitedError{RetryAfter: time.Duration(after) * time.Second}
	case resp.StatusCode != http.StatusOK:
		return slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
	}
	return nil
}

// unloaded says what it means for a message that a file could not be uploaded. It is
// tried again for a while, from the beginning (an upload address may have run out),
// and then goes without: what it says is worth more than what it shows.
func (f *Frontend) unloaded(u *upload, err error) error {
	later := &keepwatch.PostError{Verdict: keepwatch.VerdictLater, Err: fmt.Errorf("upload a file: %w", err)}
	var limited *slack.RateLimitedError
	code := codeOf(err)
	switch {
	case errors.As(err, &limited):
		later.After = limited.RetryAfter
		return later
	case code == "ratelimited" || code == "rate_limited":
		return later
	case code == "missing_scope":
		u.why = "Keepwatch's app lacks the scope files:write. Put the output of `bot manifest slack` into the app's manifest, and install the app again."
	case fatal(code) && code != "no_permission" && code != "access_denied":
		return f.verdict(err, "")
	case code != "" && !passing(code):
		u.why = "Slack does not take it (" + code + ")."
	default:
		if u.tries++; u.tries < maxUploads {
			return later
		}
		u.why = "Slack could not be brought to take it. An admin finds the reason in the log."
	}
	f.cfg.Log.Error("a file could not be uploaded to Slack; its message goes without it", "err", withoutURL(err))
	return nil
}

// awaitFiles gives an error where Slack refuses a message for the files in it, which
// it has not taken in yet: then it is posted later. After a while it goes without.
// An address for answers does not say what it is about a message that it refuses.
func (f *Frontend) awaitFiles(key string, p payload, err error) error {
	if p.images == 0 || !strings.HasPrefix(codeOf(err), "invalid_blocks") {
		return nil
	}
	var detail slack.SlackErrorResponse
	errors.As(err, &detail)
	if said := strings.Join(detail.ResponseMetadata.Messages, " "); said != "" && !strings.Contains(said, "slack_file") && !strings.Contains(said, "slack file") {
		return nil
	}
	f.uploads.mu.Lock()
	defer f.uploads.mu.Unlock()
	u := f.uploads.of[key]
	if u == nil {
		return nil
	}
	if u.tries++; u.tries >= maxUploads {
		u.why = "Slack did not take it into the message."
	}
	return &keepwatch.PostError{Verdict: keepwatch.VerdictLater, After: unready, Err: err}
}

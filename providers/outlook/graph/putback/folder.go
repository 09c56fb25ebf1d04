package putback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// child is a folder or a calendar in a list.
type child struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Name        string `json:"name"` // of a calendar
	Items       int64  `json:"totalItemCount"`
}

// MakeFolder gives a folder, and makes it if it is not there; see outlook.Restorer.
// Calendars lie beside one another: one in another one has the names of both.
func (r *Restorer) MakeFolder(ctx context.Context, mailbox string, kind outlook.Kind, parent, name string) (outlook.Folder, error) {
	if name = strings.TrimSpace(name); name == "" {
		return outlook.Folder{}, keepwatch.Errorf(keepwatch.KindInvalid, "A folder must have a name.")
	}
	if kind == outlook.Calendar && parent != "" {
		var above child
		if err := r.client.JSON(ctx, mailbox, graph.Request{URL: user(mailbox) + "/calendars/" + url.PathEscape(parent) + "?$select=id,name"}, &above); err != nil {
			return outlook.Folder{}, fmt.Errorf("read a calendar: %w", err)
		}
		parent, name = "", above.Name+" "+name
	}
	path := map[outlook.Kind]string{outlook.Mail: "/mailFolders", outlook.Contacts: "/contactFolders", outlook.Calendar: "/calendars"}[kind]
	if path == "" {
		return outlook.Folder{}, keepwatch.Errorf(keepwatch.KindInternal, "There are no folders of the kind %q.", kind)
	}
	path = user(mailbox) + path
	if parent != "" {
		path += "/" + url.PathEscape(parent) + "/childFolders"
	}
	for try := 1; ; try++ {
		f, err := r.child(ctx, mailbox, kind, path, name)
		if err != nil || f.ID != "" {
			f.Parent = parent
			return f, gone(err)
		}
		if f, err = r.makeChild(ctx, mailbox, kind, path, name); err == nil || !errors.Is(err, graph.ErrExists) || try == 3 {
			f.Parent = parent
			return f, gone(err)
		}
	}
}

// child finds a folder by its name. Names that differ in case only are the same to
// Exchange.
func (r *Restorer) child(ctx context.Context, mailbox string, kind outlook.Kind, path, name string) (outlook.Folder, error) {
	if kind == outlook.Mail {
		path += "?includeHiddenFolders=true"
	}
	for page, err := range r.client.Pages(ctx, mailbox, path) {
		if err != nil {
			return outlook.Folder{}, fmt.Errorf("list folders: %w", err)
		}
		for _, raw := range page.Items {
			var c child
			if err := json.Unmarshal(raw, &c); err != nil {
				return outlook.Folder{}, fmt.Errorf("list folders: %w", err)
			}
			if strings.EqualFold(c.DisplayName+c.Name, name) {
				return c.folder(kind), nil
			}
		}
	}
	return outlook.Folder{}, nil
}

func (c child) folder(kind outlook.Kind) outlook.Folder {
	return outlook.Folder{ID: c.ID, Kind: kind, Path: []string{c.DisplayName + c.Name}, Items: c.Items}
}

// makeChild makes a folder. A second arrival of the call finds that it exists.
func (r *Restorer) makeChild(ctx context.Context, mailbox string, kind outlook.Kind, path, name string) (outlook.Folder, error) {
	field := "displayName"
	if kind == outlook.Calendar {
		field = "name"
	}
	body, err := json.Marshal(map[string]string{field: name})
	if err != nil {
		return outlook.Folder{}, err
	}
	var c child
	if err := r.client.JSON(ctx, mailbox, graph.Request{Method: http.MethodPost, URL: path, Body: body, Again: true}, &c); err != nil {
		return outlook.Folder{}, fmt.Errorf("make the folder %s: %w", name, err)
	}
	return c.folder(kind), nil
}

// Bounds of the names in one question, so that its address stays short: a mail may come
// with a Message-ID of any length, and servers refuse long addresses.
const (
	mostHeld = 10
	longName = 200 // bytes of one that is asked for alone
	mostName = 900 // of one that is asked for at all
)

// Holds tells which of the messages a folder has; see outlook.Restorer.
func (r *Restorer) Holds(ctx context.Context, mailbox string, folder outlook.Folder, messageIDs []string) (map[string]bool, error) {
	const field = "internetMessageId"
	held := map[string]bool{}
	if folder.Kind != outlook.Mail {
		return held, nil
	}
	for len(messageIDs) > 0 {
		var tests []string
		n := min(mostHeld, len(messageIDs))
		if i := slices.IndexFunc(messageIDs[:n], func(id string) bool { return len(id) > longName }); i >= 0 {
			n = max(1, i)
		}
		for _, id := range messageIDs[:n] {
			if id != "" && len(id) <= mostName {
				tests = append(tests, field+" eq "+quoted(id))
			}
		}
		messageIDs = messageIDs[n:]
		if len(tests) == 0 {
			continue
		}
		q := url.Values{"$select": {"id," + field}, "$expand": {expandMark}, "$filter": {strings.Join(tests, " or ")}}
		for page, err := range r.client.Pages(ctx, mailbox, list(mailbox, folder)+"?"+q.Encode()) {
			if err != nil {
				return nil, fmt.Errorf("look for what is in %s: %w", folder.Title(), gone(err))
			}
			for _, raw := range page.Items {
				id, good, err := r.heldOne(ctx, mailbox, folder, raw)
				if err != nil {
					return nil, fmt.Errorf("look for what is in %s: %w", folder.Title(), gone(err))
				}
				if good {
					held[id] = true
				}
			}
		}
	}
	return held, nil
}

// heldOne reads a message of the list. One that a restore has begun and not finished, which
// has its Message-ID and not all of its attachments, is not held.
func (r *Restorer) heldOne(ctx context.Context, mailbox string, folder outlook.Folder, raw json.RawMessage) (id string, good bool, err error) {
	var x struct {
		found
		MessageID string `json:"internetMessageId"`
	}
	if err := json.Unmarshal(raw, &x); err != nil {
		return "", false, err
	}
	if x.MessageID == "" || x.ID == "" || !x.read() {
		return x.MessageID, x.MessageID != "", nil
	}
	good, err = r.isWhole(ctx, mailbox, folder, x.found)
	return x.MessageID, good, err
}

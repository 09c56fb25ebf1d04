package purview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// unknownMembers asks for the values of enumerations that came later: without it an
// exportResult is called unknownFutureValue.
const unknownMembers = "include-unknown-enum-members"

// operation is a caseOperation with what of its kinds is looked at
// (learn.microsoft.com/graph/api/resources/security-caseoperation).
type operation struct {
	ID          string `json:"id"`
	Action      string `json:"action"`
	Status      string `json:"status"`
	DisplayName string `json:"displayName"`
	Percent     int64  `json:"percentProgress"`
	ResultInfo  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"resultInfo"`
	Files []struct {
		DownloadURL string `json:"downloadUrl"`
		FileName    string `json:"fileName"`
		Size        int64  `json:"size"`
	} `json:"exportFileMetadata"`

	IndexedItemCount   *int64 `json:"indexedItemCount"`
	UnindexedItemCount *int64 `json:"unindexedItemCount"`
	MailboxCount       *int64 `json:"mailboxCount"`
}

func (o operation) failed() bool { return o.Status == "failed" || o.Status == "submissionFailed" }

// over reports whether it has come to an end that can be used.
func (o operation) over() bool { return o.Status == "succeeded" || o.Status == "partiallySucceeded" }

func (x *Exporter) look(ctx context.Context, e export, id string) (operation, error) {
	var o operation
	err := x.cfg.Client.JSON(ctx, "", graph.Request{URL: e.at("/operations/" + url.PathEscape(id)), Header: http.Header{"Prefer": {unknownMembers}}}, &o)
	return o, err
}

// wait looks at an operation until it is over.
func (x *Exporter) wait(ctx context.Context, e export, id string, seen func(operation)) (operation, error) {
	for {
		o, err := x.look(ctx, e, id)
		if err != nil {
			return o, err
		}
		seen(o)
		switch {
		case o.over():
			return o, nil
		case o.failed():
			why := "It does not say why."
			if o.ResultInfo != nil && o.ResultInfo.Message != "" {
				why = "It says: " + keepwatch.Printable(o.ResultInfo.Message)
			}
			return o, keepwatch.Errorf(keepwatch.KindAttention, "Purview could not carry out the export of %s. %s Look at the case %q in the Purview portal, then cancel this run and start again.", e.Mailbox, why, e.Name)
		}
		if err := x.cfg.Sleep(ctx, x.cfg.Every); err != nil {
			return o, err
		}
	}
}

// Wait satisfies outlook.Exporter. An export takes from half an hour to hours.
func (x *Exporter) Wait(ctx context.Context, kept json.RawMessage, report func(keepwatch.Progress)) error {
	e, err := read(kept)
	if err != nil {
		return err
	}
	_, err = x.wait(ctx, e, e.Export, func(o operation) { report(keepwatch.Progress{Items: o.Percent, TotalItems: 100, Share: true}) })
	return explain(err)
}

// Files satisfies outlook.Exporter.
func (x *Exporter) Files(ctx context.Context, kept json.RawMessage) ([]outlook.ExportFile, error) {
	e, err := read(kept)
	if err != nil {
		return nil, err
	}
	o, err := x.look(ctx, e, e.Export)
	if err != nil {
		return nil, explain(err)
	}
	var files []outlook.ExportFile
	incomplete := ""
	if o.Status == "partiallySucceeded" {
		incomplete = "Purview could not export all of the mailbox, and what it missed stands in the reports of the export"
		if o.ResultInfo != nil && o.ResultInfo.Message != "" {
			incomplete += ". It says: " + keepwatch.Printable(o.ResultInfo.Message)
		}
	}
	for _, f := range o.Files {
		files = append(files, outlook.ExportFile{Name: f.FileName, Size: f.Size, URL: f.DownloadURL, Incomplete: incomplete})
		incomplete = ""
	}
	if len(files) == 0 {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "Purview has ended the export of %s and names no file of it. Packages can be downloaded for 14 days: after that start a new backup. Otherwise look at the case %q in the Purview portal.", e.Mailbox, e.Name)
	}
	return files, nil
}

// Open satisfies outlook.Exporter.
func (x *Exporter) Open(ctx context.Context, kept json.RawMessage, file outlook.ExportFile, from int64) (io.ReadCloser, error) {
	e, err := read(kept)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(file.URL)
	if err != nil || !x.cfg.Host(u.Hostname()) {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "The download that Purview names for %s leads to a host that is none of Purview's; no token is sent there.", e.Mailbox)
	}
	r := graph.Request{URL: file.URL, Scope: DownloadApp + "/.default", Header: http.Header{"X-AllowWithAADToken": {"true"}}}
	if from > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	answer, err := x.cfg.Client.Do(ctx, "", r)
	if err != nil {
		return nil, explainDownload(err)
	}
	if media, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); media == "text/html" {
		answer.Body.Close()
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "The download of the export of %s gives a web page in place of %s. A proxy between this machine and Purview may have put it there. Retry; if that does not help, look at the case %q in the Purview portal.", e.Mailbox, keepwatch.Printable(file.Name), e.Name)
	}
	if from > 0 && answer.Status != http.StatusPartialContent { // it begins at the beginning
		if _, err := io.CopyN(io.Discard, answer.Body, from); err != nil {
			answer.Body.Close()
			return nil, fmt.Errorf("purview: skip what is here already: %w", err)
		}
	}
	return answer.Body, nil
}

// Remove satisfies outlook.Exporter: it removes the case with all that is in it.
func (x *Exporter) Remove(ctx context.Context, kept json.RawMessage) ([]keepwatch.Note, error) {
	if len(kept) == 0 {
		return nil, nil
	}
	e, err := read(kept)
	if err != nil || e.Name == "" {
		return nil, err
	}
	stays := func(err error) ([]keepwatch.Note, error) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return []keepwatch.Note{{Kind: keepwatch.NoteInfo, Text: fmt.Sprintf("the case %q stays in Purview, since it could not be removed there (%v); remove it in the portal", e.Name, err)}}, nil
	}
	if e.Case == "" { // it may have been made, and the run killed before that was kept
		w := &work{Exporter: x, export: e}
		if e.Case, err = w.find(ctx, cases); err != nil {
			return stays(err)
		}
		if e.Case == "" {
			return nil, nil
		}
	}
	err = x.cfg.Client.JSON(ctx, "", graph.Request{Method: http.MethodPost, URL: e.at("/close"), Again: true}, nil)
	if err != nil && !errors.Is(err, graph.ErrNotFound) && !errors.Is(err, graph.ErrExists) {
		return stays(err)
	}
	err = x.cfg.Client.JSON(ctx, "", graph.Request{Method: http.MethodDelete, URL: e.at("")}, nil)
	if err != nil && !errors.Is(err, graph.ErrNotFound) {
		return stays(err)
	}
	return nil, nil
}

// explain says what stands behind a refusal: a licence and a role besides the permission.
func explain(err error) error {
	if !errors.Is(err, graph.ErrDenied) {
		return err
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "Purview refuses the export. The app needs the application permission eDiscovery.ReadWrite.All with admin consent, a place in the role group eDiscovery Manager and Add-eDiscoveryCaseAdmin, and the tenant a licence of eDiscovery Premium (E5); docs/outlook.md has the commands. Without them leave out `engine: purview`: Keepwatch then writes the PST itself.").Because(err)
}

// explainDownload likewise, of the second token and what it opens.
func explainDownload(err error) error {
	var e *graph.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.SignIn && (e.Code == "AADSTS500011" || strings.Contains(e.Message, DownloadApp)):
		return keepwatch.Errorf(keepwatch.KindAttention, "The tenant does not know MicrosoftPurviewEDiscovery, whose token opens the download of an export. Run once in Microsoft Graph PowerShell: New-MgServicePrincipal -AppId %s. Then give the app its role eDiscovery.Download.Read, with admin consent.", DownloadApp).Because(err)
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return keepwatch.Errorf(keepwatch.KindAttention, "Purview has made the export and refuses its download. Give the app the application role eDiscovery.Download.Read of MicrosoftPurviewEDiscovery, with admin consent, and make it an eDiscovery Administrator (Add-eDiscoveryCaseAdmin): a mere manager is refused.").Because(err)
	case e.Status == http.StatusNotFound, e.Status == http.StatusGone:
		return keepwatch.Errorf(keepwatch.KindAttention, "The export is not there any more: Purview keeps its packages for 14 days. Cancel this run and start again.").Because(err)
	}
	return err
}

package handlers

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"keepwatch"
)

// TestNoSecretIsKept: what somebody writes by mistake stands in no audit line, no
// button and no log, however the command around it is misspelt.
func TestNoSecretIsKept(t *testing.T) {
	const secret = "hunter2XYZ99"
	for _, text := range []string{
		"/authenticator custody vault-key " + secret,
		"/authenticator custody vault-key 'it is " + secret,      // a quote that is not closed
		"/authenticator custody vault-key " + secret + ` "`,      // here too
		"/authenticator custody vault-key " + secret + " --lsot", // a switch that there is not
		"/authenticator custdy vault-key " + secret,              // a command that there is not
		"/authenticator dossier emial " + secret,                 // a field that there is not
		"/authenticator checked alis-ifone " + secret,
		"/authenticator checked alis-iphone " + secret, // which is no date
		"/authenticator custody vault-key password " + secret,
		"/keepwatch stpe l1 0 done " + secret,
		"the password is " + secret,
		"/keepwatch step l1 0 problem the iPhone is too old, password " + secret,
		"/authenticator dossier registrar Cloudflare, login admin / " + secret,
		"/authenticator dossier registrar " + secret + " in the safe",
		"/authenticator dossier phone " + secret,
	} {
		var log bytes.Buffer
		w, d := newWorld(), newDuty()
		r := d.router(t, w)
		r.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		msg := r.Handle(t.Context(), ask(text, "slack:U1"))
		buttons := ""
		for _, b := range msg.Buttons {
			buttons += b.Command + "\n"
		}
		for _, block := range msg.Blocks {
			buttons += block.Code + "\n"
		}
		for where, kept := range map[string]string{"the audit": fmt.Sprint(w.audit), "what is offered": buttons, "what was said": fmt.Sprint(d.said), "the log": log.String()} {
			if strings.Contains(kept, secret) {
				t.Errorf("%s: the secret is in %s: %s", text, where, kept)
			}
		}
	}
}

// TestNoSecretInTheLog: what goes wrong inside is logged, and not what was written.
func TestNoSecretInTheLog(t *testing.T) {
	var log bytes.Buffer
	w, d := newWorld(), newDuty()
	r := d.router(t, w)
	r.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	d.err = errors.New("the disk is on fire")
	r.Handle(t.Context(), ask("/authenticator checked alis-iphone off --remarks hunter2XYZ99", "slack:U1"))
	if !strings.Contains(log.String(), "on fire") || strings.Contains(log.String(), "hunter2") {
		t.Error(log.String())
	}
}

// TestPlainWordsStayInTheAudit: an audit without dates would say nothing.
func TestPlainWordsStayInTheAudit(t *testing.T) {
	for _, text := range []string{
		"/authenticator checked alis-iphone 2026-11-20",
		"/authenticator checked alis-iphone 20.11.2026",
		"/authenticator checked alis-iphone 03/04",
		"/authenticator checked alis-iphone 3.12.",
		"/keepwatch step l1 0 problem the password is wrong",
		"/authenticator dossier registrar KeePass, entry Registrar",
		"/authenticator checked alis-iphone 20 Nov --remarks \"by telephone\"",
		"/authenticator custody vault-key in the safe, blue folder",
		"/authenticator dossier tenant-id 72f988bf-86f1-41af-91ab-2d7cd011db47",
		"/authenticator sttaus",
	} {
		w, d := newWorld(), newDuty()
		d.router(t, w).Handle(t.Context(), ask(text, "slack:U1"))
		if w.audit[0].Text != text {
			t.Errorf("%q is kept as %q", text, w.audit[0].Text)
		}
	}
}

// TestCutOffSecretIsNotOffered: a request that is too old to be carried out is shown,
// and what looks like a secret in it is not.
func TestCutOffSecretIsNotOffered(t *testing.T) {
	r := newDuty().router(t, newWorld())
	msg := r.tooOld(keepwatch.Request{Text: "/authenticator custody vault-key hunter2XYZ99", At: noon})
	if got := plain(msg); strings.Contains(got, "hunter2") || len(msg.Buttons) != 0 {
		t.Error(got)
	}
	if msg = r.tooOld(keepwatch.Request{Text: "/backup start notes", At: noon}); len(msg.Buttons) != 1 || msg.Buttons[0].Command != "backup start notes" {
		t.Error(plain(msg))
	}
}

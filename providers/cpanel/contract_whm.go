package cpanel

import "net/http"

// contractWHM are the functions of WHM API 1.
func contractWHM() []Endpoint {
	return []Endpoint{
		{API: WHM, Function: "version", Verbs: get(), Source: sourceWHM},
		{API: WHM, Function: "uapi_cpanel", Verbs: get(), Required: []string{"cpanel.user", "cpanel.module", "cpanel.function"}, Since: 86, Source: sourceWHM},
		{API: WHM, Function: "create_user_session", Verbs: get(), Required: []string{"user", "service"}, Optional: []string{"preferred_domain", "locale"}, Once: true, Since: 40, Source: sourceWHM},
		{API: WHM, Function: "accountsummary", Verbs: get(), Optional: []string{"user", "domain"}, Source: sourceWHM},
		{API: WHM, Function: "api_token_list", Verbs: get(), Source: sourceWHM},
		{API: WHM, Function: "start_local_cpmove_restore", Verbs: get(), Required: []string{"cpmovepath", "username"}, Optional: []string{"overwrite", "restricted", "dedicated_ip", "delete_archive", "update_a_records", "mail_location"}, Once: true, Since: 88, Source: sourceWHM},
		{API: WHM, Function: "get_transfer_session_state", Verbs: get(), Required: []string{"transfer_session_id"}, Source: sourceWHM},
		{API: WHM, Function: "fetch_transfer_session_log", Verbs: get(), Required: []string{"transfer_session_id", "logfile"}, Source: sourceWHM},
		{API: WHM, Function: "backup_set_list_combined", Verbs: get(), Since: 80, Source: sourceWHM},
	}
}

// contractPages are what no API has: the sign-in, and the downloads.
func contractPages() []Endpoint {
	read := []string{http.MethodGet}
	return []Endpoint{
		{API: Page, Function: "/login/", Verbs: post(), Required: []string{"user", "pass"}, Optional: []string{"login_only", "tfa_token"}, Secret: true, Once: true, Source: sourceLogin},
		{API: Page, Function: "/download", Verbs: read, Required: []string{"file"}, Optional: []string{"skipencode"}, Source: sourceDownload},
		{API: Page, Function: "/getbackup/", Verbs: read, Source: sourceDownload},
		{API: Page, Function: "/getsqlbackup/", Verbs: read, Source: sourceDownload},
		{API: Page, Function: "/getaliasbackup/", Verbs: read, Source: sourceDownload},
		{API: Page, Function: "/getfilterbackup/", Verbs: read, Source: sourceDownload},
	}
}

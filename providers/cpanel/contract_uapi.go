package cpanel

import "net/http"

// Where the facts in the contract are from.
const (
	sourceUAPI     = "cPanel's UAPI OpenAPI document, api.docs.cpanel.net/specifications/cpanel.openapi"
	sourceWHM      = "cPanel's WHM OpenAPI document, api.docs.cpanel.net/specifications/whm.openapi"
	sourceAPI2     = "api.docs.cpanel.net/cpanel-api-2"
	sourceLogin    = "docs.cpanel.net, Guide to API Authentication: cpsess login"
	sourceDownload = "not documented by cPanel; the links of its own Backup page and File Manager, and community tools"
)

func get() []string         { return []string{http.MethodGet, http.MethodPost} }
func post() []string        { return []string{http.MethodPost} }
func postOverGet() []string { return []string{http.MethodPost, http.MethodGet} } // documented as GET; secrets go by POST

// contractBackups are the functions that make, watch and put back backups.
func contractBackups() []Endpoint {
	return []Endpoint{
		{API: UAPI, Module: "Backup", Function: "fullbackup_to_homedir", Verbs: get(), Optional: []string{"email", "homedir"}, Once: true, Since: 78, Source: sourceUAPI},
		{API: UAPI, Module: "Backup", Function: "fullbackup_to_ftp", Verbs: postOverGet(), Required: []string{"host", "username", "password"}, Optional: []string{"directory", "port", "variant", "email", "homedir"}, Secret: true, Once: true, Since: 78, Source: sourceUAPI},
		{API: UAPI, Module: "Backup", Function: "fullbackup_to_scp_with_password", Verbs: postOverGet(), Required: []string{"host", "username", "password"}, Optional: []string{"directory", "port", "email", "homedir"}, Secret: true, Once: true, Since: 78, Source: sourceUAPI},
		{API: UAPI, Module: "Backup", Function: "fullbackup_to_scp_with_key", Verbs: postOverGet(), Required: []string{"host", "key_name", "key_passphrase"}, Optional: []string{"username", "directory", "port", "email", "homedir"}, Secret: true, Once: true, Since: 78, Source: sourceUAPI},
		{API: UAPI, Module: "Backup", Function: "list_backups", Verbs: get(), Since: 42, Source: sourceUAPI},
		{API: UAPI, Module: "Backup", Function: "restore_databases", Verbs: post(), Optional: []string{"backup-N", "timeout", "verbose"}, Upload: "file", Once: true, Since: 84, Source: sourceUAPI},
		{API: UAPI, Module: "Backup", Function: "restore_files", Verbs: post(), Optional: []string{"backup-N", "directory", "timeout", "verbose"}, Upload: "backup", Once: true, Since: 86, Source: sourceUAPI},
		{API: UAPI, Module: "Backup", Function: "restore_email_forwarders", Verbs: post(), Optional: []string{"backup-N", "timeout", "verbose"}, Upload: "backup", Once: true, Since: 86, Source: sourceUAPI},
		{API: UAPI, Module: "Backup", Function: "restore_email_filters", Verbs: post(), Optional: []string{"backup-N", "timeout", "verbose"}, Upload: "backup", Once: true, Since: 86, Source: sourceUAPI},
		{API: UAPI, Module: "BackupInfo", Function: "list", Verbs: get(), Since: 136, Source: sourceUAPI},
		{API: UAPI, Module: "BackupInfo", Function: "progress", Verbs: get(), Since: 136, Source: sourceUAPI},
		{API: API2, Module: "Backups", Function: "listfullbackups", Verbs: get(), Source: sourceAPI2},
	}
}

// contractFiles are the functions of the account's files.
func contractFiles() []Endpoint {
	return []Endpoint{
		{API: UAPI, Module: "Fileman", Function: "list_files", Verbs: get(), Required: []string{"dir"}, Optional: []string{"types", "show_hidden", "only_these_files", "limit_to_list", "include_mime", "include_permissions"}, Since: 44, Source: sourceUAPI},
		{API: UAPI, Module: "Fileman", Function: "get_file_information", Verbs: get(), Required: []string{"path"}, Optional: []string{"show_hidden", "include_mime", "include_permissions"}, Since: 44, Source: sourceUAPI},
		{API: UAPI, Module: "Fileman", Function: "get_file_content", Verbs: get(), Required: []string{"dir", "file"}, Optional: []string{"from_charset", "to_charset", "update_html_document_encoding"}, Since: 44, Source: sourceUAPI},
		{API: UAPI, Module: "Fileman", Function: "upload_files", Verbs: post(), Optional: []string{"dir", "overwrite", "permissions", "get_disk_info"}, Upload: "file", Once: true, Since: 44, Source: sourceUAPI},
		{API: UAPI, Module: "Fileman", Function: "delete_file", Verbs: get(), Required: []string{"path"}, Once: true, Since: 136, Source: sourceUAPI},
		{API: API2, Module: "Fileman", Function: "fileop", Verbs: get(), Required: []string{"op", "sourcefiles"}, Optional: []string{"destfiles", "doubledecode", "metadata"}, Once: true, Source: sourceAPI2},
	}
}

// contractAccount are the functions that say how an account and its host are.
func contractAccount() []Endpoint {
	return []Endpoint{
		{API: UAPI, Module: "Quota", Function: "get_quota_info", Verbs: get(), Since: 56, Source: sourceUAPI},
		{API: UAPI, Module: "Quota", Function: "get_local_quota_info", Verbs: get(), Since: 88, Source: sourceUAPI},
		{API: UAPI, Module: "Mysql", Function: "list_databases", Verbs: get(), Since: 82, Source: sourceUAPI},
		{API: UAPI, Module: "Mysql", Function: "get_server_information", Verbs: get(), Since: 54, Source: sourceUAPI},
		{API: UAPI, Module: "Postgresql", Function: "list_databases", Verbs: get(), Since: 84, Source: sourceUAPI},
		{API: UAPI, Module: "Email", Function: "list_forwarders_backups", Verbs: get(), Source: sourceUAPI},
		{API: UAPI, Module: "Email", Function: "list_filters_backups", Verbs: get(), Source: sourceUAPI},
		{API: UAPI, Module: "Tokens", Function: "list", Verbs: get(), Since: 80, Source: sourceUAPI},
		{API: UAPI, Module: "Variables", Function: "get_user_information", Verbs: get(), Optional: []string{"name-N"}, Since: 86, Source: sourceUAPI},
		{API: UAPI, Module: "Variables", Function: "get_server_information", Verbs: get(), Optional: []string{"name-N"}, Since: 86, Source: sourceUAPI},
		{API: UAPI, Module: "StatsBar", Function: "get_stats", Verbs: get(), Required: []string{"display"}, Optional: []string{"infinityimg", "infinitylang", "rowcounter", "warninglevel", "warnings", "warnout"}, Since: 42, Source: sourceUAPI},
		{API: UAPI, Module: "SSL", Function: "installed_hosts", Verbs: get(), Source: sourceUAPI},
	}
}

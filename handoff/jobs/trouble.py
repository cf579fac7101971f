"""Why a job is not done yet. The values are stored (`handoff_jobs.trouble`) and older than their names and labels."""

RATE_LIMITED = "told"
UNREACHABLE = "away"
UNAUTHORIZED = "not_allowed"
REFUSED = "refused"
INTERNAL_ERROR = "crashed"

# As metrics and logs name them; None is a job that was not tried yet.
LABELS = {
    None: "none",
    UNREACHABLE: "unreachable",
    RATE_LIMITED: "rate_limited",
    UNAUTHORIZED: "unauthorized",
    REFUSED: "refused",
    INTERNAL_ERROR: "internal_error",
}

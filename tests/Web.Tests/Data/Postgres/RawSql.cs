using System.Text.RegularExpressions;
using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.Data.Postgres;

/// <summary>What a test does behind the hub's back, on either database.</summary>
internal static partial class RawSql
{
    /// <summary>Runs a statement; its names of tables and columns are written as in the model and quoted here.</summary>
    public static Task ExecuteAsync(HubDbContext db, string sql) => RunAsync(db, Name().Replace(sql, "\"$0\""));

    /// <summary>From now on the table refuses that, with the message.</summary>
    /// <param name="db">The database.</param>
    /// <param name="name">To end it by.</param>
    /// <param name="what">INSERT, UPDATE or DELETE.</param>
    /// <param name="table">As in the model.</param>
    /// <param name="message">What the fault says.</param>
    /// <param name="when">Only for such rows: NEW.Status &lt;&gt; 'Running'.</param>
    public static async Task ForbidAsync(HubDbContext db, string name, string what, string table, string message, string when = "1 = 1")
    {
        if (db.Database.IsNpgsql())
        {
            await RunAsync(db, $"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{message}'; END $$");
            await ExecuteAsync(db, $"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}()");
        }
        else
        {
            await ExecuteAsync(db, $"CREATE TRIGGER {name} BEFORE {what} ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, '{message}'); END");
        }
    }

    /// <summary>Ends what <see cref="ForbidAsync"/> began.</summary>
    public static Task AllowAsync(HubDbContext db, string name) => RunAsync(db, db.Database.IsNpgsql() ? $"DROP FUNCTION {name}() CASCADE" : $"DROP TRIGGER {name}");

    /// <summary>Takes away what makes the audit append-only.</summary>
    public static Task OpenAuditAsync(HubDbContext db) => RunAsync(db, db.Database.IsNpgsql()
        ? "ALTER TABLE \"Audit\" DISABLE TRIGGER ALL; ALTER TABLE \"AuditCheckpoints\" DISABLE TRIGGER ALL"
        : "DROP TRIGGER IF EXISTS audit_is_never_changed; DROP TRIGGER IF EXISTS audit_is_never_deleted; DROP TRIGGER IF EXISTS audit_checkpoint_is_never_deleted;");

    /// <summary>Takes away what makes events append-only.</summary>
    public static Task OpenEventsAsync(HubDbContext db) => RunAsync(db, db.Database.IsNpgsql()
        ? "ALTER TABLE \"Events\" DISABLE TRIGGER USER"
        : "DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_only_removed_when_old;");

    private static Task<int> RunAsync(HubDbContext db, string sql) => db.Database.ExecuteSqlRawAsync(sql, TestContext.Current.CancellationToken);

    // Words of SQL are written in capitals.
    [GeneratedRegex(@"\b[A-Z][a-z]+\w*\b(?=([^']*'[^']*')*[^']*$)")]
    private static partial Regex Name();
}

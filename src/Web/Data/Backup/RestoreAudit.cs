using System.Globalization;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Data.Backup;

/// <summary>The first start on a restored folder writes into audit and history that what follows continues an older past. Once, also when it is cut short.</summary>
internal sealed class RestoreAudit(DataFolder folder, IDbContextFactory<HubDbContext> factory, AuditLog audit, EventLog events) : IHostedService
{
    /// <summary>Action of the audit entry.</summary>
    public const string Action = "restore";

    /// <summary>Kind of the event.</summary>
    public const string Restored = "hub-restored";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (RestoreNote.Read(folder.Path) is not { } note)
        {
            return;
        }

        long restoredAtMs = note.RestoredAt.ToUnixTimeMilliseconds();
        await using (HubDbContext db = await factory.CreateDbContextAsync(cancellationToken))
        {
            if (!await db.Audit.AnyAsync(a => a.CorrelationId == note.BackupId && a.Action == Action && a.HappenedAtMs == restoredAtMs, cancellationToken))
            {
                string text = string.Create(CultureInfo.InvariantCulture, $"the backup of {note.BackupAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} was restored; what happened after it is not in this history");
                await audit.WriteAsync(
                    new AuditDraft { Actor = new Actor(note.By, null, null), Action = Action, Target = "hub", Outcome = $"accepted: {text}", CorrelationId = note.BackupId, HappenedAt = note.RestoredAt },
                    cancellationToken);
                events.Append(Restored, $"This hub goes on from a backup: {text}.");
            }
        }

        RestoreNote.Remove(folder.Path);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

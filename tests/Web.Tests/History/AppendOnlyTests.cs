using System.Data.Common;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Data;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.History;

/// <summary>The database itself keeps the past as it was, whatever a defect of ours or a hand at its console asks for.</summary>
public sealed class AppendOnlyTests : IAsyncLifetime
{
    private TestDatabase _database = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        await using HubDbContext db = _database.Factory.CreateDbContext();
        db.Events.AddRange(Enumerable.Range(1, 3).Select(i => new EventEntity { AtMs = i * 1_000, RecordedAtMs = i * 1_000, Kind = "k", Severity = EventSeverity.Info, Text = "told" }));
        db.Audit.Add(HistoryRecords.ToEntity(Checkpoints.Chains.Draft(), 1, DateTimeOffset.UnixEpoch, AuditChain.Root));
        db.AuditCheckpoints.Add(new AuditCheckpointEntity { AtMs = 1, EntryId = 1, EntryHash = "h", KeyId = "k", PublicKey = "p", Signature = "s" });
        await db.SaveChangesAsync(Stop);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory]
    [InlineData("UPDATE Events SET Text = 'another'")]
    [InlineData("UPDATE Events SET OperationId = NULL WHERE Id = 1")]
    [InlineData("DELETE FROM Events")]
    [InlineData("DELETE FROM Events WHERE Id = 3")]
    [InlineData("UPDATE Audit SET Reason = 'another'")]
    [InlineData("DELETE FROM Audit")]
    [InlineData("UPDATE AuditCheckpoints SET Signature = 'another'")]
    [InlineData("DELETE FROM AuditCheckpoints")]
    [InlineData("TRUNCATE Events")]
    [InlineData("TRUNCATE Audit")]
    [InlineData("TRUNCATE AuditCheckpoints")]
    public async Task ChangeOfThePast_IsRefusedByTheDatabase(string sql)
    {
        // SQLite has no TRUNCATE; there the same is a DELETE without a condition, which its triggers see row by row.
        string statement = TestDatabases.OnPostgres ? sql : sql.Replace("TRUNCATE", "DELETE FROM", StringComparison.Ordinal);
        await using HubDbContext db = _database.Factory.CreateDbContext();

        DbException refused = await Assert.ThrowsAnyAsync<DbException>(() => RawSql.ExecuteAsync(db, statement));

        Assert.Contains("append-only", refused.Message, StringComparison.Ordinal);
        Assert.Equal((3, 1, 1), (await db.Events.CountAsync(e => e.Text == "told", Stop), await db.Audit.CountAsync(Stop), await db.AuditCheckpoints.CountAsync(c => c.Signature == "s", Stop)));
    }

    /// <summary>Retention says how old what it removes is; even then the table lets go of nothing that is newer by either clock.</summary>
    [Fact]
    public async Task Removing_WhatIsNewerThanRetentionSays_IsRefused_AndTheRestOfItIsUndone()
    {
        await using HubDbContext db = _database.Factory.CreateDbContext();
        await using (var transaction = await db.Database.BeginTransactionAsync(Stop))
        {
            await RawSql.ExecuteAsync(db, "INSERT INTO EventRetention VALUES (2000)");
            await RawSql.ExecuteAsync(db, "DELETE FROM Events WHERE Id = 1");
            await Assert.ThrowsAnyAsync<DbException>(() => RawSql.ExecuteAsync(db, "DELETE FROM Events WHERE Id = 2"));
        }

        Assert.Equal(3, await db.Events.CountAsync(Stop));
        await Assert.ThrowsAnyAsync<DbException>(() => RawSql.ExecuteAsync(db, "DELETE FROM Events WHERE Id = 1"));
    }
}

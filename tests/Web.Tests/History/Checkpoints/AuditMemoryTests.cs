using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data;
using FailoverHub.Web.Tests.Data.Backup;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Web.Tests.History.Checkpoints;

/// <summary>Somebody who has the database and not the hub's key writes another past: the hub knows what it has signed.</summary>
[Trait("Kind", "Hub")]
public sealed class AuditMemoryTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private AuditKey _key = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _key = AuditKey.LoadOrCreate(_database.Path);
    }

    public async ValueTask DisposeAsync()
    {
        _key.Dispose();
        await _database.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AuditWrittenAnew_WithItsCheckpointsThrownAwayOrSignedByAnotherKey_IsNeverSignedByTheHub(bool signedAnew)
    {
        var before = Start();
        await WriteAsync(before, 5);
        Assert.NotNull((await before.Checkpoints.MakeAsync(Stop)).Made);
        await ForgeAsync(signedAnew);

        // The hub that goes on, and the one that was started since.
        foreach (var hub in new[] { before, Start() })
        {
            Assert.False((await hub.History.VerifyAuditAsync(Stop)).Intact);
            Assert.NotNull((await hub.Checkpoints.MakeAsync(Stop)).Broken);
            Assert.Null((await hub.Checkpoints.MakeForAsync(new("alice", null, null), null, Stop)).Made);
        }

        await using HubDbContext db = _database.Factory.CreateDbContext();
        Assert.DoesNotContain(_key.Id, await db.AuditCheckpoints.Select(c => c.KeyId).ToListAsync(Stop));
    }

    [Fact]
    public async Task Hub_WhoseSignatureIsGone_SaysSoCriticallyAtItsNextStart()
    {
        await using (HubUnderTest hub = await HubUnderTest.StartAsync(_database.Path))
        {
            await WriteAsync(Start(), 2);
            await hub.Get<CheckpointLoop>().FirstRound.WaitAsync(TimeSpan.FromSeconds(60), Stop);
            Assert.NotNull((await hub.Get<AuditCheckpoints>().MakeForAsync(new("alice", null, null), null, Stop)).Made);
        }

        await ForgeAsync(signedAnew: true);
        await using HubUnderTest again = await HubUnderTest.StartAsync(_database.Path);
        await again.Get<CheckpointLoop>().FirstRound.WaitAsync(TimeSpan.FromSeconds(60), Stop);
        await again.Writer.FlushAsync(Stop);

        EventRecord told = Assert.Single((await again.History.EventsAsync(new HistoryFilter { Kind = CheckpointLoop.AuditBroken }, null, 10, Stop)).Items);
        Assert.Equal(EventSeverity.Critical, told.Severity);
        Assert.Contains("was signed by this hub, and that checkpoint is not in the database any more", told.Text, StringComparison.Ordinal);
        Assert.Empty((await again.History.EventsAsync(new HistoryFilter { Kind = CheckpointLoop.KeyChanged }, null, 10, Stop)).Items);
    }

    [Fact]
    public async Task WhatItSigned_IsKeptForItsOwnerOnly_AndAHubThatLostItBelievesTheDatabaseAndSaysSo()
    {
        await WriteAsync(Start(), 3);
        await Start().Checkpoints.MakeAsync(Stop);
        string file = Path.Combine(_database.Path, AuditMemory.FileName);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        File.Delete(file);

        await using HubUnderTest hub = await HubUnderTest.StartAsync(_database.Path);
        await hub.Get<CheckpointLoop>().FirstRound.WaitAsync(TimeSpan.FromSeconds(60), Stop);
        await hub.Writer.FlushAsync(Stop);

        EventRecord told = Assert.Single((await hub.History.EventsAsync(new HistoryFilter { Kind = CheckpointLoop.SignaturesTakenOver }, null, 10, Stop)).Items);
        Assert.Contains($"of entry 3 by key {_key.Id}", told.Text, StringComparison.Ordinal);
        Assert.True((await hub.History.VerifyAuditAsync(Stop)).Intact);
        Assert.True(File.Exists(file));
    }

    [Fact]
    public async Task CommandBesideTheHub_ThatSigned_IsKnownToTheHub()
    {
        var hub = Start();
        await WriteAsync(hub, 2);
        await hub.Checkpoints.MakeAsync(Stop);
        var command = Start();
        AuditCheckpoint made = (await command.Checkpoints.MakeForAsync(new("root (command line)", null, null), null, Stop)).Made!;

        Assert.Equal(SignedHead.Of(made), hub.Memory.Current!.Last);
    }

    [Fact]
    public async Task BackupIsRestored_TheHubKnowsItsSignaturesAsTheyWereThen_AndSignsOn()
    {
        using var elsewhere = new TemporaryFolder();
        string file = Path.Combine(elsewhere.Path, "hub.backup");
        string restored = Path.Combine(elsewhere.Path, "restored");
        await using (HubUnderTest hub = await HubUnderTest.StartAsync(_database.Path))
        {
            await hub.Get<CheckpointLoop>().FirstRound.WaitAsync(TimeSpan.FromSeconds(60), Stop);
            Assert.NotNull((await hub.Get<AuditCheckpoints>().MakeForAsync(new("alice", null, null), null, Stop)).Made);
            Assert.Equal(0, await RunAsync(["backup", file, .. TestDatabases.Arguments(_database.Path)]));
            Assert.NotNull((await hub.Get<AuditCheckpoints>().MakeForAsync(new("alice", null, null), "after the backup", Stop)).Made);
        }

        Assert.Equal(0, await RunAsync(["restore", file, .. BackupTests.Into(restored)]));

        await using HubUnderTest again = await HubUnderTest.StartAsync(restored);
        await again.Get<CheckpointLoop>().FirstRound.WaitAsync(TimeSpan.FromSeconds(60), Stop);
        Assert.NotNull((await again.Get<AuditCheckpoints>().MakeForAsync(new("alice", null, null), null, Stop)).Made);
        Assert.True((await again.History.VerifyAuditAsync(Stop)).Intact);
        await again.Writer.FlushAsync(Stop);
        Assert.Empty((await again.History.EventsAsync(new HistoryFilter { Kind = CheckpointLoop.SignaturesTakenOver }, null, 10, Stop)).Items);
    }

    [Fact]
    public void DamagedFile_IsRefusedAtTheStart_AndTakesNothingFromAHubThatRuns()
    {
        var memory = AuditMemory.Open(_database.Path, NullLogger.Instance);
        memory.Remember(["key"], new SignedHead(7, "hash", "key"));
        File.WriteAllText(Path.Combine(_database.Path, AuditMemory.FileName), "{");

        Assert.Contains("cannot be read or is damaged", Assert.Throws<DataFolderException>(() => AuditMemory.Open(_database.Path, NullLogger.Instance)).Message, StringComparison.Ordinal);
        Assert.Equal(new SignedHead(7, "hash", "key"), memory.Current!.Last);
    }

    private static Task<int> RunAsync(params string[] arguments) => HubCommandLine.Build(TextWriter.Null, TextWriter.Null).Parse(arguments).InvokeAsync(cancellationToken: Stop);

    private Hub Start()
    {
        var changes = new HistoryChanges();
        var audit = new AuditLog(_database.Factory, changes, TimeProvider.System);
        var memory = AuditMemory.Open(_database.Path, NullLogger.Instance);
        return new Hub(audit, memory, new AuditCheckpoints(_database.Factory, audit, _key, memory, TimeProvider.System), new SqliteHistory(_database.Factory, changes, memory));
    }

    private static async Task WriteAsync(Hub hub, int count)
    {
        for (int i = 1; i <= count; i++)
        {
            await hub.Audit.WriteAsync(Chains.Draft($"reason {i}"), Stop);
        }
    }

    private async Task ForgeAsync(bool signedAnew)
    {
        await using HubDbContext db = _database.Factory.CreateDbContext();
        await RawSql.OpenAuditAsync(db);
        await RawSql.ExecuteAsync(db, "DELETE FROM AuditCheckpoints");
        await RawSql.ExecuteAsync(db, "DELETE FROM Audit");
        List<AuditEntity> forged = Chains.Entries(6);
        db.Audit.AddRange(forged);
        if (signedAnew)
        {
            using var folder = new TemporaryFolder();
            using AuditKey other = AuditKey.LoadOrCreate(folder.Path);
            AuditCheckpoint signed = Chains.Sign(other, forged[^1]);
            db.AuditCheckpoints.Add(new AuditCheckpointEntity
            {
                AtMs = signed.At.ToUnixTimeMilliseconds(),
                EntryId = signed.EntryId,
                EntryHash = signed.EntryHash,
                KeyId = signed.KeyId,
                PublicKey = signed.PublicKey,
                Signature = signed.Signature,
            });
        }

        await db.SaveChangesAsync(Stop);
    }

    private sealed record Hub(AuditLog Audit, AuditMemory Memory, AuditCheckpoints Checkpoints, SqliteHistory History);
}

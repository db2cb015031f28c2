using FailoverHub.Web.Configuration;
using FailoverHub.Web.Configuration.Commands;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Web.Tests.History.Checkpoints;

/// <summary>Checkpoints of a real hub and its database, and the commands that need neither.</summary>
[Trait("Kind", "Hub")]
public sealed class CheckpointTests : IAsyncLifetime
{
    private static readonly Actor Alice = new("alice", "192.0.2.7", null);
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private TestDatabase _database = null!;
    private AuditLog _audit = null!;
    private AuditKey _key = null!;
    private AuditMemory _memory = null!;
    private SqliteHistory _history = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private AuditCheckpoints Checkpoints => new(_database.Factory, _audit, _key, _memory, TimeProvider.System);

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        var changes = new HistoryChanges();
        _audit = new AuditLog(_database.Factory, changes, TimeProvider.System);
        _key = AuditKey.LoadOrCreate(_database.Path);
        _memory = AuditMemory.Open(_database.Path, NullLogger.Instance);
        _history = new SqliteHistory(_database.Factory, changes, _memory);
    }

    public async ValueTask DisposeAsync()
    {
        _key.Dispose();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Checkpoint_OfANewHead_IsMadeOnce_AndVerifies()
    {
        await WriteAsync(3);

        AuditCheckpoint made = (await Checkpoints.MakeAsync(Stop)).Made!;
        Assert.Equal(default, await Checkpoints.MakeAsync(Stop));

        AuditVerification verified = await _history.VerifyAuditAsync(Stop);
        Assert.Equal((true, 3L, 1L), (verified.Intact, verified.Entries, verified.Checkpoints));
        Assert.Equal(made, verified.LastCheckpoint);
        Assert.Equal((3L, verified.HeadHash), (made.EntryId, made.EntryHash));
        Assert.Equal([made], (await _history.CheckpointsAsync(null, 10, Stop)).Items);
    }

    [Fact]
    public async Task Checkpoint_AskedForBySomebody_SignsTheEntryThatSaysSo()
    {
        await WriteAsync(1);

        AuditCheckpoint made = (await Checkpoints.MakeForAsync(Alice, null, Stop)).Made!;

        AuditEntry entry = (await _history.AuditAsync(new HistoryFilter { Kind = AuditCheckpoints.Action }, null, 10, Stop)).Items.Single();
        Assert.Equal((entry.Id, entry.Hash, "alice"), (made.EntryId, made.EntryHash, entry.Actor));
        Assert.True((await _history.VerifyAuditAsync(Stop)).Intact);
    }

    [Theory]
    [InlineData("UPDATE Audit SET Reason = 'another' WHERE Id = 2")]
    [InlineData("DELETE FROM Audit WHERE Id = 2")]
    [InlineData("DELETE FROM Audit WHERE Id = 3")]
    public async Task Chain_ThatWasChanged_IsNotSigned_AndWhoAsksForItIsAudited(string sql)
    {
        await WriteAsync(3);
        await Checkpoints.MakeAsync(Stop);
        if (sql.Contains("Id = 2", StringComparison.Ordinal))
        {
            await TamperAsync("DELETE FROM AuditCheckpoints");
        }

        await TamperAsync(sql);

        Assert.NotNull((await Checkpoints.MakeAsync(Stop)).Broken);
        Assert.Null((await Checkpoints.MakeForAsync(Alice, null, Stop)).Made);
        Assert.StartsWith("refused: the chain is broken", (await _history.AuditAsync(new HistoryFilter { Kind = AuditCheckpoints.Action }, null, 10, Stop)).Items.Single().Outcome, StringComparison.Ordinal);
        Assert.False((await _history.VerifyAuditAsync(Stop)).Intact);
    }

    [Fact]
    public async Task Checkpoints_InTheDatabase_CannotBeChangedOrRemoved()
    {
        await WriteAsync(1);
        await Checkpoints.MakeAsync(Stop);
        await using HubDbContext db = _database.Factory.CreateDbContext();

        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => db.AuditCheckpoints.ExecuteDeleteAsync(Stop));
        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => db.AuditCheckpoints.ExecuteUpdateAsync(s => s.SetProperty(c => c.EntryId, 7), Stop));
    }

    [Fact]
    public async Task ExportedAudit_IsVerifiedWithoutAHub_AndWithoutTheKeyOnlyByItsOwnWord()
    {
        await WriteAsync(700);
        string file = await ExportAsync("audit.jsonl");
        string key = await KeyFileAsync();

        Assert.Equal(0, await VerifyAsync(file));
        Assert.Contains("Intact: 700 entries, 1 checkpoints", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("The file itself brought that key.", _output.ToString(), StringComparison.Ordinal);
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, await VerifyAsync(file, "--key", key));
        Assert.DoesNotContain("The file itself", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task DatabaseCutOffWithItsCheckpoints_IsFoundByTheExportBefore()
    {
        await WriteAsync(5);
        string before = await ExportAsync("before.jsonl");
        await TamperAsync("DELETE FROM AuditCheckpoints; DELETE FROM Audit WHERE Id > 3");
        string after = await ExportAsync("after.jsonl", AuditCommands.NotIntact);

        Assert.Equal(0, await VerifyAsync(after));
        Assert.Equal(AuditCommands.NotIntact, await VerifyAsync(after, "--earlier", before));
        Assert.Contains("Entry 4 is not there: entries 4 to 5 are missing", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DatabaseCutOff_IsFoundByTheCheckpointThatIsLeft()
    {
        await WriteAsync(5);
        await Checkpoints.MakeAsync(Stop);
        await TamperAsync("DELETE FROM Audit WHERE Id > 3");

        AuditVerification found = await _history.VerifyAuditAsync(Stop);

        Assert.Equal((false, 4L), (found.Intact, found.FirstBrokenId));
    }

    [Fact]
    public async Task Hub_ThatStarts_SignsWhatWasWrittenBefore_AndSaysWhenItsKeyIsAnother()
    {
        await WriteAsync(2);
        await using (HubUnderTest hub = await HubUnderTest.StartAsync(_database.Path))
        {
            await hub.Get<CheckpointLoop>().FirstRound.WaitAsync(TimeSpan.FromSeconds(60), Stop);
            Assert.Equal(2, (await hub.History.CheckpointsAsync(null, 10, Stop)).Items.Single().EntryId);
        }

        File.Delete(Path.Combine(_database.Path, AuditKey.FileName));
        await using (HubUnderTest hub = await HubUnderTest.StartAsync(_database.Path))
        {
            await hub.Get<CheckpointLoop>().FirstRound.WaitAsync(TimeSpan.FromSeconds(60), Stop);
            await hub.Writer.FlushAsync(Stop);
            Assert.Single((await hub.History.EventsAsync(new HistoryFilter { Kind = CheckpointLoop.KeyChanged }, null, 10, Stop)).Items);
            AuditVerification verified = await hub.History.VerifyAuditAsync(Stop);
            Assert.Equal((true, 2L, 2), (verified.Intact, verified.Checkpoints, verified.KeyIds.Length));
        }
    }

    [Fact]
    public async Task FileThatIsNotThereOrNoKey_IsNotChecked()
    {
        string nothing = Path.Combine(_database.Path, "nothing");
        await WriteAsync(1);
        string file = await ExportAsync("audit.jsonl");

        Assert.Equal(1, await VerifyAsync(nothing));
        Assert.Equal(1, await VerifyAsync(file, "--key", file));
        Assert.Equal(1, await VerifyAsync(Path.Combine(_database.Path, AuditKey.FileName)));
    }

    private async Task WriteAsync(int count)
    {
        for (int i = 1; i <= count; i++)
        {
            await _audit.WriteAsync(Chains.Draft($"reason {i}"), Stop);
        }
    }

    private async Task TamperAsync(string sql)
    {
        await using HubDbContext db = _database.Factory.CreateDbContext();
        await RawSql.OpenAuditAsync(db);
        await RawSql.ExecuteAsync(db, sql);
    }

    private async Task<string> ExportAsync(string name, int exitCode = 0)
    {
        string file = Path.Combine(_database.Path, name);
        Assert.Equal(exitCode, await RunAsync(["audit", "export", file, .. TestDatabases.Arguments(_database.Path)]));
        return file;
    }

    private async Task<string> KeyFileAsync()
    {
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, await RunAsync(["audit", "key", .. TestDatabases.Arguments(_database.Path)]));
        string file = Path.Combine(_database.Path, "public.pem");
        await File.WriteAllTextAsync(file, _output.ToString(), Stop);
        return file;
    }

    private Task<int> VerifyAsync(params string[] arguments) => RunAsync(["audit", "verify", .. arguments]);

    private Task<int> RunAsync(params string[] arguments) => HubCommandLine.Build(_output, _error).Parse(arguments).InvokeAsync(cancellationToken: Stop);
}

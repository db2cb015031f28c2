using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace FailoverHub.Web.Tests.Data.Postgres;

/// <summary>A connection that breaks at its COMMIT, on either side of the server's deed: the hub finds out which it was.</summary>
[Trait("Kind", "Process")]
public sealed class LostCommitTests(OwnServer own) : IClassFixture<OwnServer>
{
    private static readonly AuditDraft Entry = new() { Actor = new Actor("alice", "192.0.2.7", null), Action = "tried", Target = "the-word", Outcome = "accepted" };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnswerThatIsLost_TheChangeIsDoneAndWhoAskedIsToldSo()
    {
        using var folder = new TemporaryFolder();
        await using LosingProxy proxy = Between(folder, Lost.Answer);
        await using HubUnderTest hub = await HubUnderTest.StartAsync(folder.Path);

        await hub.Get<AuditLog>().ChangeAsync(Entry, (db, _) =>
        {
            db.Settings.Add(new SettingEntity { Key = "changed", Value = "yes" });
            return Task.CompletedTask;
        }, Stop);

        Assert.True(proxy.HasStruck);
        await using HubDbContext db = hub.OpenDatabase();
        Assert.Equal("yes", (await db.Settings.SingleAsync(s => s.Key == "changed", Stop)).Value);
        Assert.Single((await hub.History.AuditAsync(new HistoryFilter { Kind = "tried" }, null, 10, Stop)).Items);
        Assert.True((await hub.History.VerifyAuditAsync(Stop)).Intact);
    }

    [Fact]
    public async Task CommitThatIsLost_NothingIsDoneAndWhoAskedIsToldSo()
    {
        using var folder = new TemporaryFolder();
        await using LosingProxy proxy = Between(folder, Lost.Commit);
        await using HubUnderTest hub = await HubUnderTest.StartAsync(folder.Path);

        Exception? fault = await Record.ExceptionAsync(() => hub.Get<AuditLog>().WriteAsync(Entry, Stop));

        Assert.True(proxy.HasStruck);
        Assert.True(fault is not null && StorageFaults.MayPass(fault), $"{fault}");
        Assert.Empty((await hub.History.AuditAsync(new HistoryFilter { Kind = "tried" }, null, 10, Stop)).Items);
        await hub.Get<AuditLog>().WriteAsync(Entry, Stop);
        Assert.Single((await hub.History.AuditAsync(new HistoryFilter { Kind = "tried" }, null, 10, Stop)).Items);
    }

    [Theory]
    [InlineData(nameof(Lost.Answer))]
    [InlineData(nameof(Lost.Commit))]
    public async Task EventsWhoseCommitBreaks_AreToldOnce(string lost)
    {
        using var folder = new TemporaryFolder();
        await using LosingProxy proxy = Between(folder, Enum.Parse<Lost>(lost));
        await using HubUnderTest hub = await HubUnderTest.StartAsync(folder.Path);

        hub.Get<EventLog>().Append("told-once", "the-word");
        await hub.Writer.FlushAsync(Stop).WaitAsync(TimeSpan.FromSeconds(60), Stop);

        Assert.True(proxy.HasStruck);
        Assert.Single((await hub.History.EventsAsync(new HistoryFilter { Kind = "told-once" }, null, 10, Stop)).Items);
    }

    private LosingProxy Between(TemporaryFolder folder, Lost lost)
    {
        NpgsqlConnectionStringBuilder database = TestDatabases.Put(folder.Path, own.Server);
        var proxy = new LosingProxy(database.Host!, "the-word", lost);
        (database.Host, database.Port) = ("127.0.0.1", proxy.Port);
        return proxy;
    }
}

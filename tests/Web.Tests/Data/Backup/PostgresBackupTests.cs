using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using FailoverHub.Web.Data.Backup;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Role = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Data.Backup;

/// <summary>What only a database on a server has: it is beside the folder, may have tables already, and belongs to a role that may do little.</summary>
[Trait("Kind", "Process")]
public sealed class PostgresBackupTests(OwnServer own) : IClassFixture<OwnServer>, IDisposable
{
    private const string Tables = "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND relkind IN ('r', 'S') ORDER BY 1";

    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _error = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_folder.Path, "data");

    private string File1 => Path.Combine(_folder.Path, "backup.tar.gz");

    private string Restored => Path.Combine(_folder.Path, "restored");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task RoleThatOwnsItsDatabaseAndNothingElse_BacksUpAndRestores_AndNumberingGoesOn()
    {
        string role = $"plain_{Guid.NewGuid():N}";
        own.Server.Execute($"CREATE ROLE {role} LOGIN");
        NpgsqlConnectionStringBuilder from = Own(TestDatabases.Put(Data, own.Server), role);
        long newest;
        await using (HubUnderTest hub = await HubUnderTest.StartAsync(Data))
        {
            await using FakeAgent one = await FakeAgent.StartAsync(hub.AgentUrl, "web-1", Role.Primary);
            await using FakeAgent two = await FakeAgent.StartAsync(hub.AgentUrl, "web-2", Role.Secondary);
            await hub.UntilAsync(f => f.FindPair("web")?.State == FailoverHub.Web.Fleet.PairState.Healthy);
            await hub.Writer.FlushAsync(Stop);
            Assert.Equal(0, await RunAsync("backup", File1, "--data", Data, "--database", from.ConnectionString));
            await using HubDbContext db = hub.OpenDatabase();
            newest = await db.Events.MaxAsync(e => e.Id, Stop);
        }

        NpgsqlConnectionStringBuilder to = Own(TestDatabases.Put(Restored, own.Server), role);
        Assert.Equal((0, ""), (await RunAsync("restore", File1, "--data", Restored, "--database", to.ConnectionString), _error.ToString()));

        await using HubUnderTest again = await HubUnderTest.StartAsync(Restored);
        await again.Writer.FlushAsync(Stop);
        await using HubDbContext after = again.OpenDatabase();
        Assert.Equal(FailoverHub.Web.Fleet.NodeLink.Offline, again.Fleet.Current.FindNode("web-1")!.Link);
        Assert.Single(await after.Events.Where(e => e.Kind == RestoreAudit.Restored && e.Id > newest - 10).ToListAsync(Stop));
        Assert.True(await after.Events.MaxAsync(e => e.Id, Stop) > newest);
        Assert.Equal(await after.Events.CountAsync(Stop), (await again.History.EventsAsync(new HistoryFilter { From = DateTimeOffset.UnixEpoch }, null, 500, Stop)).Items.Length);
        Assert.True((await again.History.VerifyAuditAsync(Stop)).Intact);
    }

    [Fact]
    public async Task DatabaseThatHasATable_IsNotRestoredInto_AndNothingIsChanged()
    {
        await MakeAsync();
        NpgsqlConnectionStringBuilder to = TestDatabases.Put(Restored, own.Server);
        own.Server.Execute("CREATE TABLE mine (x int)", to.Database!);

        Assert.Equal(1, await RunAsync("restore", File1, "--data", Restored, "--database", to.ConnectionString));

        Assert.Contains("in use or not empty (it has 'mine')", _error.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Restored));
        Assert.Equal(["mine"], await NamesAsync(to));
    }

    [Fact]
    public async Task DatabaseThatAHubHolds_IsNotRestoredInto()
    {
        await MakeAsync();
        NpgsqlConnectionStringBuilder to = TestDatabases.Put(Restored, own.Server);
        await using var holder = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(to.ConnectionString) { Pooling = false }.ConnectionString);
        await holder.OpenAsync(Stop);
        await using var take = new NpgsqlCommand($"SELECT pg_advisory_lock({PostgresHubLock.LockClass}, {PostgresHubLock.LockId})", holder);
        await take.ExecuteNonQueryAsync(Stop);

        Assert.Equal(1, await RunAsync("restore", File1, "--data", Restored, "--database", to.ConnectionString));

        Assert.Contains("A hub runs on the PostgreSQL database", _error.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Restored));
        Assert.Empty(await NamesAsync(to));
    }

    [Fact]
    public async Task BackupOfOneKind_IsNotRestoredIntoTheOther()
    {
        await MakeAsync();
        string ofAFile = Path.Combine(_folder.Path, "of-a-file.tar.gz");
        Assert.Equal(0, await RunAsync("backup", ofAFile, "--data", Path.Combine(_folder.Path, "file"), "--database", "sqlite"));
        NpgsqlConnectionStringBuilder to = TestDatabases.Put(Restored, own.Server);

        Assert.Equal(1, await RunAsync("restore", ofAFile, "--data", Restored, "--database", to.ConnectionString));
        Assert.Contains("is of a hub whose database is a SQLite file", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, await RunAsync("restore", File1, "--data", Restored, "--database", "sqlite"));
        Assert.Contains("is of a hub whose database is on a PostgreSQL server", _error.ToString(), StringComparison.Ordinal);

        Assert.False(Directory.Exists(Restored));
        Assert.Empty(await NamesAsync(to));
    }

    /// <summary>What fails when most of it is there already leaves nothing of it: neither tables nor keys. The same place takes the right one afterwards.</summary>
    [Theory]
    [InlineData("a column that there is not", "could not be restored")]
    [InlineData("a table twice", "does not name")]
    [InlineData("a table less", "does not name")]
    [InlineData("a table more", "has no table 'Nowhere'")]
    [InlineData("no list", "does not say which tables it has")]
    [InlineData("rows of another table", "could not be restored")]
    public async Task BackupThatAgreesWithItsManifestAndNotWithTheDatabase_LeavesNothingBehind(string how, string said)
    {
        await MakeAsync();
        string wrong = Path.Combine(_folder.Path, "wrong.tar.gz");
        await RewriteAsync(File1, wrong, how);
        NpgsqlConnectionStringBuilder to = TestDatabases.Put(Restored, own.Server);

        Assert.Equal(1, await RunAsync("restore", wrong, "--data", Restored, "--database", to.ConnectionString));

        Assert.Contains(said, _error.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Restored));
        Assert.Empty(await NamesAsync(to));
        Assert.Equal(0, await RunAsync("restore", File1, "--data", Restored, "--database", to.ConnectionString));
        Assert.True(File.Exists(Path.Combine(Restored, HubAuthority.FileName)) || Directory.GetFiles(Restored, "*.pem").Length > 0);
    }

    [Fact]
    public async Task ServerThatIsAway_IsSaidAndLeavesNothingBehind()
    {
        await MakeAsync();
        NpgsqlConnectionStringBuilder nowhere = own.Server.Database("nowhere");
        nowhere.Password = "s3cret";

        Assert.Equal(1, await RunAsync("restore", File1, "--data", Restored, "--database", nowhere.ConnectionString));

        Assert.Contains("PostgreSQL database 'nowhere'", _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", _error.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Restored));
    }

    private async Task MakeAsync()
    {
        NpgsqlConnectionStringBuilder from = TestDatabases.Put(Data, own.Server);
        await using (await HubUnderTest.StartAsync(Data))
        {
            Assert.Equal(0, await RunAsync("backup", File1, "--data", Data, "--database", from.ConnectionString));
        }
    }

    private NpgsqlConnectionStringBuilder Own(NpgsqlConnectionStringBuilder database, string role)
    {
        own.Server.Execute($"ALTER DATABASE {database.Database} OWNER TO {role}");
        database.Username = role;
        return database;
    }

    private Task<int> RunAsync(params string[] arguments) => HubCommandLine.Build(TextWriter.Null, _error).Parse(arguments).InvokeAsync(cancellationToken: Stop);

    private static async Task<List<string>> NamesAsync(NpgsqlConnectionStringBuilder database)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Stop);
        await using var command = new NpgsqlCommand(Tables, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(Stop);
        var names = new List<string>();
        while (await reader.ReadAsync(Stop))
        {
            names.Add(reader.GetString(0));
        }

        return names;
    }

    // The manifest agrees with what is changed.
    private static async Task RewriteAsync(string from, string to, string how)
    {
        var entries = new List<(string Name, byte[] Content)>();
        await using (var packed = new GZipStream(File.OpenRead(from), CompressionMode.Decompress))
        await using (var tar = new TarReader(packed))
        {
            while (await tar.GetNextEntryAsync(copyData: true, Stop) is { } entry)
            {
                var content = new MemoryStream();
                await (entry.DataStream ?? Stream.Null).CopyToAsync(content, Stop);
                entries.Add((entry.Name, content.ToArray()));
            }
        }

        int list = entries.FindIndex(e => e.Name == PostgresDump.Contents);
        int events = entries.FindIndex(e => e.Name == "database/Events.copy");
        string text = Encoding.UTF8.GetString(entries[list].Content);
        PostgresContents contents = PostgresContents.Parse(entries[list].Content)!;
        switch (how)
        {
            case "a column that there is not":
                text = text.Replace("\"RecordedAtMs\"", "\"NoSuchMs\"", StringComparison.Ordinal);
                break;
            case "a table twice":
                entries.Insert(events, entries[events] with { Name = "database/Events.copy.again" });
                break;
            case "a table less":
                text = Json(contents with { Tables = [.. contents.Tables.Where(t => t.Name != "Events")] });
                break;
            case "a table more":
                text = Json(contents with { Tables = [.. contents.Tables, new PostgresTable { Name = "Nowhere", Columns = ["Id"] }] });
                break;
            case "no list":
                text = "[]";
                break;
            case "rows of another table":
                entries[events] = ("database/Events.copy", entries.Find(e => e.Name == "database/Audit.copy").Content);
                break;
        }

        entries[list] = (PostgresDump.Contents, Encoding.UTF8.GetBytes(text));
        var files = new List<BackupFile>();
        foreach ((string name, byte[] content) in entries.Skip(1))
        {
            files.Add(await BackupFile.OfAsync(name, new MemoryStream(content), Stop));
        }

        entries[0] = (BackupManifest.FileName, (BackupManifest.Parse(entries[0].Content)! with { Files = files }).ToJson());
        await using FileStream file = File.Create(to);
        await using var zip = new GZipStream(file, CompressionLevel.Fastest);
        await using var result = new TarWriter(zip, TarEntryFormat.Pax);
        foreach ((string name, byte[] content) in entries)
        {
            await result.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) }, Stop);
        }

        static string Json(PostgresContents contents) => System.Text.Json.JsonSerializer.Serialize(contents, PostgresDump.Json);
    }
}

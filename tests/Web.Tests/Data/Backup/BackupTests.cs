using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using FailoverHub.Web.Data.Backup;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Data.Postgres;
using FailoverHub.Web.Tests.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Role = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Data.Backup;

/// <summary>A hub that is lost comes back from one file, and its agents come back to it.</summary>
[Trait("Kind", "Hub")]
public sealed class BackupTests : IDisposable
{
    private static readonly Actor Alice = new("alice", null, null) { Rights = Rights.All };
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_folder.Path, "data");

    private string File1 => Path.Combine(_folder.Path, "backup.tar.gz");

    private string Restored => Path.Combine(_folder.Path, "restored");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task RunningHub_BackedUpLostAndRestored_GoesOnWhereItWas_AndItsAgentsComeBack()
    {
        string keyId;
        string operation;
        ulong first;
        ulong second;
        await using (HubUnderTest hub = await HubUnderTest.StartAsync(Data))
        {
            await using FakeAgent one = await FakeAgent.StartAsync(hub.AgentUrl, "web-1", Role.Primary);
            await using FakeAgent two = await FakeAgent.StartAsync(hub.AgentUrl, "web-2", Role.Secondary);
            PairView pair = (await hub.UntilAsync(f => f.Pairs.Any(p => p.State == PairState.Healthy))).Pairs.Single();
            var switchover = new OperationRequest { Type = OperationType.Switchover, Pair = pair.Id, Reason = "before the backup" };
            operation = Assert.IsType<SubmitResult.Accepted>(await hub.Operations.SubmitAsync(switchover, Alice, Stop)).OperationId;
            await hub.UntilAsync(operation, o => o.IsFinished);
            first = (ulong)hub.Fleet.Current.FindNode("web-1")!.IntentRevision;
            second = (ulong)hub.Fleet.Current.FindNode("web-2")!.IntentRevision;
            await File.WriteAllTextAsync(Path.Combine(Data, "an-authority.pem"), "a key of another room", Stop);
            keyId = hub.Get<AuditKey>().Id;

            Assert.Equal(0, await RunAsync(["backup", File1, .. Of(Data)]));
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(File1));
        Directory.Delete(Data, recursive: true);
        Assert.Equal(0, await RunAsync(["restore", File1, .. Into(Restored)]));

        await using HubUnderTest again = await HubUnderTest.StartAsync(Restored);
        Assert.Equal(keyId, again.Get<AuditKey>().Id);
        Assert.Equal("a key of another room", await File.ReadAllTextAsync(Path.Combine(Restored, "an-authority.pem"), Stop));
        Assert.False(File.Exists(Path.Combine(Restored, RestoreNote.FileName)));
        Assert.Equal(OperationStatus.Succeeded, (await again.Operations.FindAsync(operation, Stop))!.Status);
        await using FakeAgent oneAgain = await FakeAgent.StartAsync(again.AgentUrl, "web-1", Role.Secondary, revision: first);
        await using FakeAgent twoAgain = await FakeAgent.StartAsync(again.AgentUrl, "web-2", Role.Primary, revision: second);
        await again.UntilAsync(f => f.Pairs.Any(p => p.ActiveNode == "web-2" && p.Members.All(m => m.Node.Link == NodeLink.Connected)));

        var audit = (await again.History.AuditAsync(new HistoryFilter(), null, 100, Stop)).Items;
        Assert.Single(audit, a => a.Action == HubBackup.Action);
        AuditEntry restore = Assert.Single(audit, a => a.Action == RestoreAudit.Action);
        Assert.Equal(audit.Single(a => a.Action == HubBackup.Action).CorrelationId, restore.CorrelationId);
        Assert.True((await again.History.VerifyAuditAsync(Stop)).Intact);
    }

    [Fact]
    public async Task NodesThatHadJoined_AreTheSameToTheRestoredHub()
    {
        using var node = new TestNode();
        string fingerprint;
        await using (HubUnderTest hub = await HubUnderTest.StartAsync(Data, tls: AgentsEndpoint.Default))
        {
            JoinTokenCreation made = await hub.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(null, false, JoinTokens.DefaultLifetime), Alice, Stop);
            await node.JoinAsync(hub.AgentUrl, made.Token!.ToString(), "web-1");
            fingerprint = hub.Get<HubIdentity>().Authority.Fingerprint;
            Assert.Equal(0, await RunAsync(["backup", File1, .. Of(Data)]));
        }

        Directory.Delete(Data, recursive: true);
        Assert.Equal(0, await RunAsync(["restore", File1, .. Into(Restored)]));

        await using HubUnderTest again = await HubUnderTest.StartAsync(Restored, tls: AgentsEndpoint.Default);
        Assert.Equal(fingerprint, again.Get<HubIdentity>().Authority.Fingerprint);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Restored, HubAuthority.FileName)));
        await using FakeAgent agent = await node.ConnectAsync(again.AgentUrl);
        await again.UntilAsync(f => f.FindNode("web-1")?.Link == NodeLink.Connected);
    }

    /// <summary>As an operator does it: the program itself, in processes of its own, and agents that know the hub by its authority and are known by their certificates.</summary>
    [Fact]
    public async Task HubRestoredByTheProgramIntoAFreshFolder_IsTheHubThatItsNodesHaveJoined()
    {
        using var one = new TestNode();
        using var two = new TestNode();
        string fingerprint;
        await using (HubUnderTest hub = await HubUnderTest.StartAsync(Data, tls: AgentsEndpoint.Default))
        {
            fingerprint = hub.Get<HubIdentity>().Authority.Fingerprint;
            foreach ((TestNode node, string name) in new[] { (one, "web-1"), (two, "web-2") })
            {
                JoinTokenCreation token = await hub.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(name, false, JoinTokens.DefaultLifetime), Alice, Stop);
                await node.JoinAsync(hub.AgentUrl, token.Token!.ToString(), name);
            }

            await hub.Writer.FlushAsync(Stop);
            Assert.Equal((0, ""), await ProgramAsync(["backup", File1, .. Of(Data)]));
        }

        Directory.Delete(Data, recursive: true);
        Assert.Equal((0, ""), await ProgramAsync(["restore", File1, .. Into(Restored)]));

        await using HubUnderTest again = await HubUnderTest.StartAsync(Restored, tls: AgentsEndpoint.Default);
        Assert.Equal(fingerprint, again.Get<HubIdentity>().Authority.Fingerprint);
        await using FakeAgent first = await one.ConnectAsync(again.AgentUrl);
        await using FakeAgent second = await two.ConnectAsync(again.AgentUrl, role: Role.Secondary);
        FleetSnapshot fleet = await again.UntilAsync(f => f.FindPair("web")?.State == PairState.Healthy);
        Assert.All(["web-1", "web-2"], name => Assert.NotNull(fleet.FindNode(name)!.Identity));
        await one.RenewAsync(again.AgentUrl);
        Assert.Single((await again.History.AuditAsync(new HistoryFilter { Kind = RestoreAudit.Action }, null, 10, Stop)).Items);
        Assert.True((await again.History.VerifyAuditAsync(Stop)).Intact);
    }

    /// <summary>What was ended after the backup is open in it: a browser, a link, a join token, and the API token of somebody who has gone.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RestoredHub_OpensNoBrowserLinkOrJoinTokenOfThen_AndApiTokensOnlyAsItSays(bool revokeTokens)
    {
        string link;
        string token;
        var jar = new CookieContainer();
        string join;
        await using (WholeHub hub = await WholeHub.StartAsync(data: Data))
        {
            HttpClient browser = hub.Browser(jar);
            (await WholeHub.PressSignInAsync(browser, await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop))).Dispose();
            Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/pairs", Stop)).StatusCode);
            link = await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop);
            token = await hub.TokenAsync("ci", ApiScope.Read);
            join = (await hub.Get<JoinTokens>().CreateAsync(new JoinTokenRequest("web-1", false, JoinTokens.DefaultLifetime), Alice, Stop)).Info!.Id;
            Assert.Null((await hub.Get<Accounts>().CreateAsync("anna", [HubRoles.Viewer], "correct horse battery", false, WholeHub.Tester, Stop)).Problem);
            await hub.Get<HubWriter>().FlushAsync(Stop);
            Assert.Equal(0, await RunAsync(["backup", File1, .. Of(Data)]));

            await hub.Get<ApiTokens>().RevokeAsync("ci", WholeHub.Tester, Stop);
            (await WholeHub.PressSignOutAsync(browser)).Dispose();
        }

        string stamp = await StampAsync(File1);
        string said = await SaidAsync([.. revokeTokens ? (string[])["--revoke-tokens"] : []]);

        await using WholeHub again = await WholeHub.StartAsync(data: Restored);
        HttpClient thief = again.Browser();
        thief.DefaultRequestHeaders.Add("Cookie", string.Join("; ", jar.GetAllCookies().Select(c => $"{c.Name}={c.Value}")));
        HttpClient script = again.Browser();
        script.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using HttpResponseMessage byLink = await WholeHub.PressSignInAsync(again.Browser(), link);
        await using HubDbContext db = await again.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);

        Assert.Equal(HttpStatusCode.Unauthorized, (await thief.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, byLink.StatusCode);
        Assert.Equal(revokeTokens ? HttpStatusCode.Unauthorized : HttpStatusCode.OK, (await script.GetAsync("/api/v1/pairs", Stop)).StatusCode);
        Assert.NotNull((await db.JoinTokens.SingleAsync(t => t.Id == join, Stop)).WithdrawnAtMs);
        Assert.NotEqual(stamp, (await db.Users.SingleAsync(Stop)).SecurityStamp);
        Assert.Contains("Warning: ", said, StringComparison.Ordinal);
        Assert.Contains(revokeTokens ? "Every API token is revoked." : "API tokens are as they were then: ci.", said, StringComparison.Ordinal);
        AuditEntry entry = Assert.Single((await again.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = RestoreAudit.Action }, null, 10, Stop)).Items);
        Assert.Equal($$"""{"browsersSignedOut":1,"apiTokens":["ci"],"apiTokensRevoked":{{(revokeTokens ? "true" : "false")}}}""", entry.After);
        await again.Get<HubWriter>().FlushAsync(Stop);
        Assert.Contains("Every browser is signed out", Assert.Single((await again.Get<IHistory>().EventsAsync(new HistoryFilter { Kind = RestoreAudit.Restored }, null, 10, Stop)).Items).Text, StringComparison.Ordinal);
        Assert.True((await again.Get<IHistory>().VerifyAuditAsync(Stop)).Intact);
    }

    private async Task<string> SaidAsync(params string[] more)
    {
        using var output = new StringWriter();
        Assert.Equal(0, await HubCommandLine.Build(output, TextWriter.Null).Parse(["restore", File1, .. Into(Restored), .. more]).InvokeAsync(cancellationToken: Stop));
        return output.ToString();
    }

    // As it is in the backup.
    private async Task<string> StampAsync(string backup)
    {
        string folder = Path.Combine(_folder.Path, "looked-at");
        Assert.Equal(0, await RunAsync(["restore", backup, .. Into(folder)]));
        await using ServiceProvider services = new ServiceCollection().AddHubDatabase(folder, TestDatabases.For(folder)).BuildServiceProvider();
        await using HubDbContext db = await services.GetRequiredService<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        return (await db.Users.SingleAsync(Stop)).SecurityStamp!;
    }

    [Fact]
    public async Task Restore_IntoTheEmptyFolderOfAVolume_KeepsTheFolderItselfAndLeavesNothingBesideIt()
    {
        await MakeAsync();
        const UnixFileMode OfTheVolume = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute;
        Directory.CreateDirectory(Restored, OfTheVolume);

        Assert.Equal(0, await RunAsync(["restore", File1, .. Into(Restored)]));

        // A folder that had been made anew would have the mode of any other.
        Assert.Equal(OfTheVolume, File.GetUnixFileMode(Restored));
        Assert.True(File.Exists(Path.Combine(Restored, AuditKey.FileName)));
        Assert.Empty(Directory.GetFileSystemEntries(Restored, ".restore*"));
    }

    [Fact]
    public async Task Restore_IntoAFolderInUse_ChangesNothing()
    {
        await MakeAsync();
        string[] before = Directory.GetFiles(Data);

        Assert.Equal(1, await RunAsync(["restore", File1, .. Of(Data)]));

        Assert.Equal(before, Directory.GetFiles(Data));
        Assert.Contains("in use or not empty", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Backup_OverAFileOrInTheDataFolder_IsRefused()
    {
        await MakeAsync();
        byte[] before = await File.ReadAllBytesAsync(File1, Stop);

        Assert.Equal(1, await RunAsync(["backup", File1, .. Of(Data)]));
        Assert.Equal(1, await RunAsync(["backup", Path.Combine(Data, "backup"), .. Of(Data)]));

        Assert.Equal(before, await File.ReadAllBytesAsync(File1, Stop));
        Assert.Equal([File1], Directory.GetFiles(_folder.Path));
        Assert.Equal([Data], Directory.GetDirectories(_folder.Path));
    }

    [Theory]
    [InlineData("change", "has another hash than its manifest says")]
    [InlineData("shorten", "is shorter than its manifest says")]
    [InlineData("lengthen", "is longer than its manifest says")]
    [InlineData("remove", "which its manifest names")]
    [InlineData("add", "which its manifest does not name")]
    [InlineData("lead-out", "which its manifest does not name")]
    [InlineData("newer", "does not know")]
    [InlineData("no-manifest", "does not begin with a manifest")]
    [InlineData("cut", "Use another one.")]
    public async Task Restore_OfABackupThatWasTamperedWith_LeavesNothingBehind(string how, string said)
    {
        await MakeAsync();
        string tampered = Path.Combine(_folder.Path, "tampered");
        await TamperAsync(File1, tampered, how);

        Assert.Equal(1, await RunAsync(["restore", tampered, .. Into(Restored)]));

        Assert.Contains(said, _error.ToString(), StringComparison.Ordinal);
        Assert.Equal([Data], Directory.GetDirectories(_folder.Path));
    }

    /// <summary>The hub writes on while it is backed up; what is in the file is one moment of it, whole.</summary>
    [Fact]
    public async Task Backup_WhileTheHubWrites_IsOneMomentOfIt()
    {
        await using (HubUnderTest hub = await HubUnderTest.StartAsync(Data))
        {
            AuditLog audit = hub.Get<AuditLog>();
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            Task writing = Task.Run(
                async () =>
                {
                    while (!enough.IsCancellationRequested)
                    {
                        await audit.WriteAsync(new AuditDraft { Actor = Alice, Action = "test", Target = "hub", Outcome = "accepted" }, CancellationToken.None);
                    }
                },
                CancellationToken.None);
            Assert.Equal(0, await RunAsync(["backup", File1, .. Of(Data)]));
            await enough.CancelAsync();
            await writing;
        }

        Assert.Equal(0, await RunAsync(["restore", File1, .. Into(Restored)]));
        await using HubUnderTest again = await HubUnderTest.StartAsync(Restored);
        Assert.True((await again.History.VerifyAuditAsync(Stop)).Intact);
        Assert.Single((await again.History.AuditAsync(new HistoryFilter { Kind = HubBackup.Action }, null, 10, Stop)).Items);
    }

    /// <summary>Whoever has the service's user could else have root put any file of the machine into a backup.</summary>
    [Fact]
    public async Task Backup_FollowsNoLinkOfTheDataFolder()
    {
        string elsewhere = Directory.CreateDirectory(Path.Combine(_folder.Path, "elsewhere")).FullName;
        await File.WriteAllTextAsync(Path.Combine(elsewhere, "shadow"), "somebody else's", Stop);
        await using (await HubUnderTest.StartAsync(Data))
        {
            File.CreateSymbolicLink(Path.Combine(Data, "shadow"), Path.Combine(elsewhere, "shadow"));
            Directory.CreateSymbolicLink(Path.Combine(Data, "more"), elsewhere);
            Directory.CreateSymbolicLink(Path.Combine(Data, "round"), Data);
            Assert.Equal(0, await RunAsync(["backup", File1, .. Of(Data)]));
        }

        Assert.Equal(0, await RunAsync(["restore", File1, .. Into(Restored)]));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(Restored, "*", SearchOption.AllDirectories), e => Path.GetFileName(e) is "shadow" or "more" or "round");
        Assert.True(File.Exists(Path.Combine(Restored, AuditKey.FileName)));
    }

    /// <summary>What root restores into the folder of the service's user is that user's: his hub starts on it.</summary>
    [Trait("Database", "Sqlite")]
    [Fact]
    public async Task Restore_IntoTheFolderOfAnotherUser_IsHis()
    {
        await MakeAsync();
        using var folder = new Files.ServiceFolder();

        Assert.Equal((0, ""), await ProgramAsync("restore", File1, "--data", folder.Path));

        uint owner = FileEntry.Look(folder.Path, throughLinks: true)!.Value.Owner;
        string[] restored = Directory.GetFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories);
        Assert.Contains(Path.Combine(folder.Path, DataFolder.DatabaseName), restored);
        Assert.All(restored, entry => Assert.Equal((entry, owner), (entry, FileEntry.Look(entry, throughLinks: false)!.Value.Owner)));
    }

    /// <summary>Until it is whole nothing starts on it: half of a hub would be a new one under the old name.</summary>
    [Fact]
    public async Task RestoreThatWasCutShort_KeepsTheHubAndItsCommandsOffTheFolder()
    {
        await MakeAsync();
        Assert.Equal(0, await RunAsync(["restore", File1, .. Into(Restored)]));
        Directory.CreateDirectory(Path.Combine(Restored, DataFolder.StagingName));

        DataFolderException refused = await Assert.ThrowsAsync<DataFolderException>(() => HubUnderTest.StartAsync(Restored));
        Assert.Equal(1, await RunAsync(["backup", Path.Combine(_folder.Path, "another"), .. Of(Restored)]));

        Assert.Contains("was cut short", refused.Message, StringComparison.Ordinal);
        Assert.Contains("was cut short", _error.ToString(), StringComparison.Ordinal);
    }

    // What a command is told of the database of a folder that there is.
    internal static string[] Of(string folder) => TestDatabases.Arguments(folder);

    // The same for a folder that there is not: on a server an empty database of its own.
    internal static string[] Into(string folder)
    {
        TestDatabases.EmptyFor(folder);
        return TestDatabases.Arguments(folder);
    }

    private async Task MakeAsync()
    {
        await using (await HubUnderTest.StartAsync(Data))
        {
            Assert.Equal(0, await RunAsync(["backup", File1, .. Of(Data)]));
        }
    }

    // The program of this build. What it says on standard error comes back too.
    private static async Task<(int ExitCode, string Error)> ProgramAsync(params string[] arguments)
    {
        var start = new System.Diagnostics.ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "failoverhub"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string inherited in start.Environment.Keys.Where(k => k.StartsWith("FAILOVERHUB_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(inherited);
        }

        using var program = System.Diagnostics.Process.Start(start)!;
        Task<string> output = program.StandardOutput.ReadToEndAsync(Stop);
        Task<string> error = program.StandardError.ReadToEndAsync(Stop);
        await program.WaitForExitAsync(Stop);
        await output;
        return (program.ExitCode, await error);
    }

    private Task<int> RunAsync(params string[] arguments) => HubCommandLine.Build(_output, _error).Parse(arguments).InvokeAsync(cancellationToken: Stop);

    private static async Task TamperAsync(string from, string to, string how)
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

        int database = entries.FindIndex(e => e.Name is "hub.db" or "database/Audit.copy");
        byte[] bytes = entries[database].Content;
        switch (how)
        {
            case "change":
                bytes[100] ^= 1;
                break;
            case "shorten":
                entries[database] = (entries[database].Name, bytes[..^1]);
                break;
            case "lengthen":
                entries[database] = (entries[database].Name, [.. bytes, 0]);
                break;
            case "remove":
                entries.RemoveAt(database);
                break;
            case "add":
                entries.Add(("more", [1]));
                break;
            case "lead-out":
                entries.Add(("../more", [1]));
                break;
            case "newer":
                BackupManifest manifest = BackupManifest.Parse(entries[0].Content)! with { Schema = "29991231000000_Later" };
                entries[0] = (BackupManifest.FileName, manifest.ToJson());
                break;
            case "no-manifest":
                entries.RemoveAt(0);
                break;
        }

        var result = new MemoryStream();
        await using (var packed = new GZipStream(result, CompressionLevel.Fastest, leaveOpen: true))
        await using (var tar = new TarWriter(packed, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) }, Stop);
            }
        }

        byte[] all = result.ToArray();
        await File.WriteAllBytesAsync(to, how == "cut" ? all[..(all.Length / 2)] : all, Stop);
    }
}

using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Identity;
using Microsoft.Data.Sqlite;

namespace FailoverHub.Web.Tests.Data.Files;

/// <summary>Root runs the hub's commands in the folder of the service's user, who waits for it with links.</summary>
[Trait("Kind", "Process")]
public sealed class OwnFileTests : IDisposable
{
    private const string Secret = "somebody else's";
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead;

    private readonly ServiceFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Trait("Database", "Sqlite")]
    [Theory]
    [InlineData(HubAuthority.FileName)]
    [InlineData(AuditKey.FileName)]
    [InlineData("hub.lock")]
    [InlineData("hub.db")]
    [InlineData("hub.db-wal")]
    [InlineData("hub.db-shm")]
    [InlineData("hub.db-journal")]
    [InlineData("hub.db-migration.lock")]
    public async Task LinkIsLaid_WhatItLeadsToIsNeitherReadNorMadeNorChanged(string name)
    {
        var (victim, made) = (Victim(), Path.Combine(_folder.Elsewhere, "made"));

        foreach (var target in new[] { victim, made })
        {
            _folder.LayLink(name, target);
            var said = await UseAsync(name);
            Assert.Contains($"{name}' is a symbolic link to '{target}'", said, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, said, StringComparison.Ordinal);
            File.Delete(_folder.At(name));
        }

        Assert.Equal((Mode, Secret, false), (File.GetUnixFileMode(victim), await File.ReadAllTextAsync(victim, Stop), Path.Exists(made)));
        Assert.Equal("", await UseAsync(name));
    }

    /// <summary>A second name is no link that could be seen as one: it is another user's file all the same.</summary>
    [Trait("Database", "Sqlite")]
    [Theory]
    [InlineData(HubAuthority.FileName)]
    [InlineData(AuditKey.FileName)]
    [InlineData("hub.lock")]
    [InlineData("hub.db")]
    public async Task SecondNameIsLaid_RootDoesNothingWithIt(string name)
    {
        var victim = Victim();
        _folder.LayName(name, victim);

        var said = await UseAsync(name);

        // Who is not root can do nothing here that he could not do anyway.
        if (Environment.IsPrivilegedProcess)
        {
            Assert.Contains("has 2 names", said, StringComparison.Ordinal);
            Assert.Equal((Mode, Secret), (File.GetUnixFileMode(victim), await File.ReadAllTextAsync(victim, Stop)));
        }
    }

    [Fact]
    public void PipeIsLaid_NobodyWaitsForWhoeverWritesIntoIt()
    {
        using (var pipe = System.Diagnostics.Process.Start("mkfifo", _folder.At(AuditKey.FileName)))
        {
            pipe.WaitForExit();
        }

        Assert.Contains("is no file", Assert.Throws<DataFolderException>(() => AuditKey.LoadOrCreate(_folder.Path)).Message, StringComparison.Ordinal);
    }

    /// <summary>The look and the opening are two moments: the link is laid between them as often as it can be.</summary>
    [Fact]
    public async Task LinkAndFileTakeEachOthersPlace_TheSecretIsNeverRead()
    {
        var victim = Victim();
        using var enough = new CancellationTokenSource();
        var laying = Task.Run(
            () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    File.WriteAllText(_folder.At("beside"), "our own");
                    _folder.Replace("file", "beside");
                    File.CreateSymbolicLink(_folder.At("beside"), victim);
                    _folder.Replace("file", "beside");
                }
            },
            Stop);

        var read = new HashSet<string>();
        for (var i = 0; i < 20_000; i++)
        {
            try
            {
                read.Add(OwnFile.ReadPrivateText(_folder.Path, "file"));
            }
            catch (Exception e) when (e is DataFolderException or IOException)
            {
                // Refused, or not there yet.
            }
        }

        await enough.CancelAsync();
        await laying;
        Assert.Contains("our own", read);
        if (Environment.IsPrivilegedProcess)
        {
            Assert.DoesNotContain(Secret, read);
            Assert.Equal(Mode, File.GetUnixFileMode(victim));
        }
    }

    /// <summary>SQLite goes where a link leads; it is asked where that was before anything is read.</summary>
    [Trait("Database", "Sqlite")]
    [Fact]
    public async Task LinkIsLaidJustBeforeTheDatabaseIsOpened_NothingIsWrittenThere()
    {
        var other = Path.Combine(_folder.Elsewhere, "other.db");
        await File.WriteAllTextAsync(other, "", Stop);
        _folder.LayLink(DataFolder.DatabaseName, other);
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _folder.At(DataFolder.DatabaseName), Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString());
        await connection.OpenAsync(Stop);

        var said = Record.Exception(() => SqlitePragmas.RefuseElsewhere(connection))?.Message;

        // Who is not root may go wherever his own links lead.
        Assert.Equal(Environment.IsPrivilegedProcess, said?.Contains($"leads to '{other}'", StringComparison.Ordinal) == true);
        Assert.Equal(0, new FileInfo(other).Length);
    }

    /// <summary>Else the hub, which is not root, could not use them.</summary>
    [Trait("Database", "Sqlite")]
    [Fact]
    public async Task WhatRootMakes_BelongsToTheOwnerOfTheFolder()
    {
        Assert.Equal("", await CommandAsync("token", "create", "--name", "ci"));
        Assert.Equal("", await UseAsync(HubAuthority.FileName));
        AuditKey.LoadOrCreate(_folder.Path).Dispose();
        using var open = new SqliteConnection($"Data Source={_folder.At(DataFolder.DatabaseName)};Pooling=False");
        await open.OpenAsync(Stop);
        await using (var write = open.CreateCommand())
        {
            write.CommandText = "PRAGMA journal_mode=WAL; CREATE TABLE \"T\" (\"X\")";
            await write.ExecuteNonQueryAsync(Stop);
        }

        var owner = FileEntry.Look(_folder.Path, throughLinks: true)!.Value.Owner;
        var files = Directory.GetFiles(_folder.Path);
        Assert.Contains(_folder.At("hub.db-wal"), files);
        Assert.Contains(_folder.At(HubAuthority.FileName), files);
        Assert.Contains(_folder.At(AuditKey.FileName), files);
        Assert.All(files, file =>
        {
            Assert.Equal((file, owner), (file, FileEntry.Look(file, throughLinks: false)!.Value.Owner));
            Assert.Equal((file, UnixFileMode.UserRead | UnixFileMode.UserWrite), (file, File.GetUnixFileMode(file)));
        });
    }

    private string Victim()
    {
        var victim = Path.Combine(_folder.Elsewhere, "victim");
        File.WriteAllText(victim, Secret);
        File.SetUnixFileMode(victim, Mode);
        return victim;
    }

    /// <summary>Does what has to do with that file; empty, or why it was not done.</summary>
    private async Task<string> UseAsync(string name)
    {
        try
        {
            switch (name)
            {
                case HubAuthority.FileName:
                    HubAuthority.Open(_folder.Path, null, TimeProvider.System.GetUtcNow()).Dispose();
                    return "";
                case AuditKey.FileName:
                    AuditKey.LoadOrCreate(_folder.Path).Dispose();
                    return "";
                case "hub.lock":
                    await DataFolder.Open(_folder.Path).LockForHub().DisposeAsync();
                    return "";
                default:
                    return await CommandAsync("token", "list");
            }
        }
        catch (Exception e) when (e is DataFolderException or IdentityException)
        {
            return e.Message;
        }
    }

    private async Task<string> CommandAsync(params string[] arguments)
    {
        using var error = new StringWriter();
        await HubCommandLine.Build(TextWriter.Null, error).Parse([.. arguments, "--data", _folder.Path]).InvokeAsync(cancellationToken: Stop);
        return error.ToString();
    }
}

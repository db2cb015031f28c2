using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FailoverHub.Agent.Service;
using FailoverHub.Agent.Tests.Speaker;

namespace FailoverHub.Agent.Tests.EndToEnd;

/// <summary>What the real process writes to its standard output, as somebody else's program reads it.</summary>
[Trait("Kind", "Process")]
public sealed partial class LogTests : IAsyncLifetime
{
    // Of sd-daemon(3): what a warning and what an ordinary line begins with.
    private const string Warning = "<4>";
    private const string Ordinary = "<6>";

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeRouter _router = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Json_EachLineIsAnObject_WithTimeLevelAndSentence()
    {
        await using var agent = AgentExecutable.Start([.. Flags(), "--logjson"]);

        var lines = await LifeAsync(agent, "established: hold");

        var objects = lines.ConvertAll(line => JsonDocument.Parse(line).RootElement);
        Assert.All(objects, line =>
        {
            Assert.True(DateTimeOffset.TryParseExact(line.GetProperty("Timestamp").GetString(), "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _));
            Assert.Contains(line.GetProperty("LogLevel").GetString(), (string[])["Information", "Warning", "Error"]);
            Assert.NotEmpty(line.GetProperty("Message").GetString()!);
        });
        Assert.Equal("Information", Level("established: hold"));
        Assert.Equal("Warning", Level("no session with 127.0.0.1:1 yet"));

        string Level(string words) => objects.First(line => line.GetProperty("Message").GetString()!.Contains(words, StringComparison.Ordinal)).GetProperty("LogLevel").GetString()!;
    }

    [Fact]
    public async Task OutputIsTheJournal_EachLineHasAPriority_AndNoTimeOfItsOwn()
    {
        await using var agent = AgentExecutable.StartFromShell("export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/$$/fd/1)", Flags());

        var lines = await LifeAsync(agent, "established: hold");

        Assert.All(lines, line => Assert.Matches(Journal(), line));
        Assert.StartsWith(Ordinary, lines.Single(line => line.Contains("established: hold", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.StartsWith(Warning, lines.First(line => line.Contains("no session with 127.0.0.1:1 yet", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    /// <summary>Inherited from a service whose output is the journal, while ours is not.</summary>
    [Theory]
    [InlineData("export JOURNAL_STREAM=8:12345")]
    [InlineData("export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/$$/fd/0)")]
    [InlineData("export JOURNAL_STREAM=yes")]
    [InlineData("export JOURNAL_STREAM=")]
    public async Task OutputIsNotTheJournal_LinesHaveTheirTimes(string set)
    {
        await using var agent = AgentExecutable.StartFromShell(set, Flags());

        Assert.All(await LifeAsync(agent, "established: hold"), line => Assert.Matches(Plain(), line));
    }

    [Fact]
    public void Stream_IsKnownByDeviceAndNumber_AndWhatIsNotThereIsNoJournal()
    {
        Assert.False(JournalStream.Is(null, "/proc/self/fd/0"));
        Assert.False(JournalStream.Is("8:1", _directory.At("nothing")));
        Assert.False(JournalStream.Is("8:1", "/proc/self/fd/nothing/below"));
    }

    // From the start to a proper end.
    private static async Task<List<string>> LifeAsync(AgentExecutable agent, string until)
    {
        await agent.Output.FirstAsync<string>(line => line.Contains(until, StringComparison.Ordinal));
        await agent.Output.FirstAsync<string>(line => line.Contains("no session with 127.0.0.1:1 yet", StringComparison.Ordinal));
        agent.Terminate();
        Assert.Equal(0, await agent.ExitAsync());
        return [.. (await agent.Output.UntilAsync(seen => seen.Contains("(end)"))).Where(line => line != "(end)")];
    }

    // One neighbor that there is, and one at which nobody listens.
    private string[] Flags() =>
        ["run", "--node", "node-a", "--primary", "--announce", "203.0.113.10/32", "--state", _directory.At("state"), "--neighbor", "127.0.0.1:1", .. AgentExecutable.Dialling([_router])];

    [GeneratedRegex(@"^<[3-6]>[A-Za-z.]+\[\d+\] \S")]
    private static partial Regex Journal();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warn|fail): \S")]
    private static partial Regex Plain();
}

using FailoverHub.Agent.Discovery;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Tests.Discovery;

public sealed class DiscovererTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly PausingTime _time = new();
    private readonly RecordedLog<Discoverer> _log = new();
    private readonly Queue<(InstanceAnswer? Answer, string? Problem)> _answers = new();
    private readonly Signal<InstanceFacts> _learned = new();

    public void Dispose() => _directory.Dispose();

    private string Kept => _directory.At("instance.json");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NoAnswerWhileSomethingWaits_IsAskedAgainAfterGrowingPauses_AndSaidOnce()
    {
        Enumerable.Repeat("no route", 10).ToList().ForEach(Answer);
        Answer(Facts("us-ord"));
        await RunAsync("nothing is announced", pauses: 11);

        Assert.Equal([0.25, 0.5, 1, 2, 4, 8, 15, 15, 15, 15, 900], _time.Pauses.Seen.Select(pause => pause.TotalSeconds));
        Assert.Equal("us-ord", Assert.Single(_learned.Seen).Region);
        var line = Assert.Single(_log.Lines.Seen, line => line.Level == LogLevel.Warning).Text;
        Assert.Contains("nothing is announced before it does: no route", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoAnswerForLong_IsSaidAgain()
    {
        Enumerable.Repeat("no route", 50).ToList().ForEach(Answer);
        await RunAsync("nothing is announced", pauses: 50);

        Assert.Equal(2, _log.Lines.Seen.Count(line => line.Level == LogLevel.Warning));
    }

    [Fact]
    public async Task AnotherProblem_IsAnotherLine()
    {
        Answer("no route");
        Answer("refused");
        Answer("refused");
        await RunAsync("nothing is announced", pauses: 3);

        Assert.Equal(2, _log.Lines.Seen.Count(line => line.Level == LogLevel.Warning));
    }

    [Fact]
    public async Task NoAnswerWhileNothingWaits_IsNotSaid_AndAskedForRarely()
    {
        Enumerable.Repeat("no route", 20).ToList().ForEach(Answer);
        await RunAsync(null, pauses: 10);

        Assert.Equal([5, 10, 20, 40, 80, 160, 320, 640, 900, 900], _time.Pauses.Seen.Select(pause => pause.TotalSeconds));
        Assert.All(_log.Lines.Seen, line => Assert.Equal(LogLevel.Debug, line.Level));
    }

    [Fact]
    public async Task EachAnswer_IsTold_AndIsKeptForTheNextStart()
    {
        Answer(Facts("us-ord"));
        Answer(Facts("us-ord"));
        Answer(Facts("nl-ams"));
        await RunAsync(null, pauses: 3);

        Assert.Equal(["us-ord", "us-ord", "nl-ams"], _learned.Seen.Select(facts => facts.Region));
        Assert.All(_time.Pauses.Seen, pause => Assert.Equal(Discoverer.RestingPause, pause));
        Assert.Equal("nl-ams", New().Kept?.Region);
        Assert.Equal(2, _log.Lines.Seen.Count(line => line.Text.Contains("The metadata service says", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task AnswerAfterSilence_BeginsAgainWithShortPauses()
    {
        Answer("no route");
        Answer("no route");
        Answer(Facts("us-ord"));
        Answer("no route");
        await RunAsync("nothing is announced", pauses: 4);

        Assert.Equal([0.25, 0.5, 900, 0.25], _time.Pauses.Seen.Select(pause => pause.TotalSeconds));
    }

    [Fact]
    public void DamagedKeptAnswer_IsNone()
    {
        File.WriteAllText(Kept, "{\"region\":");

        Assert.Null(New().Kept);
    }

    [Fact]
    public async Task AnswerThatCannotBeKept_CountsAllTheSame_AndIsSaid()
    {
        Directory.CreateDirectory(Kept);
        Answer(Facts("us-ord"));
        await RunAsync(null, pauses: 1);

        Assert.Equal("us-ord", Assert.Single(_learned.Seen).Region);
        Assert.Contains(_log.Lines.Seen, line => line.Level == LogLevel.Warning && line.Text.Contains("cannot be kept", StringComparison.Ordinal));
    }

    private Discoverer New() => new(_ => Task.FromResult(_answers.Dequeue()), Kept, _time, _log);

    // Until it begins its pause number so many; all before it pass, each as soon as it has begun.
    private async Task RunAsync(string? lacking, int pauses)
    {
        using var end = new CancellationTokenSource();
        var running = Task.Run(() => New().RunAsync(TimeSpan.Zero, () => lacking, Learn, end.Token), Cancellation);
        for (var passed = 0; ; passed++)
        {
            var begun = await _time.Pauses.UntilAsync(seen => seen.Count > passed);
            if (passed == pauses - 1)
            {
                break;
            }

            _time.Advance(begun[passed]);
        }

        await end.CancelAsync();
        await running;

        ValueTask Learn(InstanceFacts facts, CancellationToken cancellation)
        {
            _learned.Add(facts);
            return ValueTask.CompletedTask;
        }
    }

    private void Answer(string problem) => _answers.Enqueue((null, problem));

    private void Answer(InstanceAnswer answer) => _answers.Enqueue((answer, null));

    private static InstanceAnswer Facts(string region) => new(new InstanceFacts { Region = region, ReadAt = DateTimeOffset.UnixEpoch }, []);
}

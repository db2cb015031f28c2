using FailoverHub.Agent.Discovery;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Tests.Discovery;

public sealed class DiscovererTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly PausingTime _time = new();
    private readonly RecordedLog<Discoverer> _log = new();
    private readonly Queue<(InstanceAnswer? Answer, string? Problem)> _answers = new();
    private int _passed;

    public void Dispose() => _directory.Dispose();

    private string Kept => _directory.At("instance.json");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NoAnswer_IsAskedAgainAfterGrowingPauses_AndSaidOnce()
    {
        Enumerable.Repeat("no route", 10).ToList().ForEach(Answer);
        Answer(Facts("us-ord"));
        var awaited = Task.Run(() => New().AwaitAsync(_ => true, "nothing is announced", Cancellation));
        await PassAsync(10);

        Assert.Equal("us-ord", (await awaited).Region);
        Assert.Equal([0.25, 0.5, 1, 2, 4, 8, 15, 15, 15, 15], _time.Pauses.Seen.Select(pause => pause.TotalSeconds));
        var line = Assert.Single(_log.Lines.Seen, line => line.Level == LogLevel.Warning).Text;
        Assert.Contains("nothing is announced before it does: no route", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherProblem_IsAnotherLine()
    {
        Answer("no route");
        Answer("refused");
        Answer("refused");
        Answer(Facts("us-ord"));
        var awaited = Task.Run(() => New().AwaitAsync(_ => true, "nothing is announced", Cancellation));
        await PassAsync(3);
        await awaited;

        Assert.Equal(2, _log.Lines.Seen.Count(line => line.Level == LogLevel.Warning));
    }

    [Fact]
    public async Task AnswerThatWillNotDo_IsKept_AndAskedForAgain()
    {
        Answer(Facts("xx-new"));
        Answer(Facts("us-ord"));
        var awaited = Task.Run(() => New().AwaitAsync(facts => facts.Region == "us-ord", "nothing is announced", Cancellation));
        await _time.Pauses.FirstAsync<TimeSpan>();
        Assert.Equal("xx-new", InstanceStore.Load(Kept)?.Region);

        await PassAsync(1);

        Assert.Equal("us-ord", (await awaited).Region);
    }

    [Fact]
    public async Task AskedToStop_StopsInTheMiddleOfAPause()
    {
        Answer("no route");
        using var end = new CancellationTokenSource();
        var awaited = Task.Run(() => New().AwaitAsync(_ => true, "nothing is announced", end.Token), Cancellation);
        await _time.Pauses.FirstAsync<TimeSpan>();

        await end.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => awaited);
    }

    [Fact]
    public async Task Answer_IsKept_ForTheNextStart()
    {
        Answer(Facts("us-ord"));
        await New().AwaitAsync(_ => true, "", Cancellation);

        Assert.Equal("us-ord", New().Kept?.Region);
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

        Assert.Equal("us-ord", (await New().AwaitAsync(_ => true, "", Cancellation)).Region);
        Assert.Contains(_log.Lines.Seen, line => line.Level == LogLevel.Warning && line.Text.Contains("cannot be kept", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Watching_TellsEachAnswer_AndRestsBetween()
    {
        var learned = new Signal<InstanceFacts>();
        using var end = new CancellationTokenSource();
        Answer(Facts("us-ord"));
        Answer(Facts("nl-ams"));
        var watching = Task.Run(() => New().WatchAsync(TimeSpan.Zero, Learn, end.Token), Cancellation);
        await _time.Pauses.FirstAsync<TimeSpan>();
        Assert.Single(learned.Seen);

        await PassAsync(1);
        await _time.Pauses.UntilAsync(pauses => pauses.Count == 2);

        Assert.Equal(["us-ord", "nl-ams"], learned.Seen.Select(facts => facts.Region));
        Assert.All(_time.Pauses.Seen, pause => Assert.Equal(Discoverer.RestingPause, pause));
        await end.CancelAsync();
        await watching;

        ValueTask Learn(InstanceFacts facts, CancellationToken cancellation)
        {
            learned.Add(facts);
            return ValueTask.CompletedTask;
        }
    }

    [Fact]
    public async Task Watching_WithoutAnswer_SaysNothing_AndBecomesRare()
    {
        using var end = new CancellationTokenSource();
        Enumerable.Repeat("no route", 20).ToList().ForEach(Answer);
        var watching = Task.Run(() => New().WatchAsync(TimeSpan.FromSeconds(1), (_, _) => ValueTask.CompletedTask, end.Token), Cancellation);
        await PassAsync(15);
        await _time.Pauses.UntilAsync(pauses => pauses.Count == 16);

        Assert.Equal(Discoverer.RestingPause, _time.Pauses.Seen[^1]);
        await end.CancelAsync();
        await watching;
        Assert.All(_log.Lines.Seen, line => Assert.Equal(LogLevel.Debug, line.Level));
    }

    private Discoverer New() => new(_ => Task.FromResult(_answers.Dequeue()), Kept, _time, _log);

    // Lets so many pauses pass, one after the other, each as soon as it has begun.
    private async Task PassAsync(int pauses)
    {
        for (; pauses > 0; pauses--)
        {
            _passed++;
            var begun = await _time.Pauses.UntilAsync(seen => seen.Count >= _passed);
            _time.Advance(begun[_passed - 1]);
        }
    }

    private void Answer(string problem) => _answers.Enqueue((null, problem));

    private void Answer(InstanceAnswer answer) => _answers.Enqueue((answer, null));

    private static InstanceAnswer Facts(string region) => new(new InstanceFacts { Region = region, ReadAt = DateTimeOffset.UnixEpoch }, []);
}

using CsCheck;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Tests.Checks;

public sealed class VerdictCounterTests
{
    // g: good, b: bad; the verdicts behind each result.
    [Theory]
    [InlineData(nameof(InitialVerdict.Hold), 2, 3, "g", "H")]
    [InlineData(nameof(InitialVerdict.Hold), 2, 3, "bbb", "??U")]
    [InlineData(nameof(InitialVerdict.Hold), 2, 3, "bbg", "??H")]
    [InlineData(nameof(InitialVerdict.Hold), 2, 1, "bgg", "UUH")]
    [InlineData(nameof(InitialVerdict.Healthy), 2, 3, "bbgbbb", "HHHHHU")]
    [InlineData(nameof(InitialVerdict.Healthy), 2, 3, "bbbgbgg", "HHUUUUH")]
    [InlineData(nameof(InitialVerdict.Unhealthy), 2, 3, "gg", "UH")]
    [InlineData(nameof(InitialVerdict.Unhealthy), 1, 1, "gbg", "HUH")]
    [InlineData(nameof(InitialVerdict.Unhealthy), 3, 1, "ggbggg", "UUUUUH")]
    public void ResultsInARow_MakeTheVerdict(string initial, int rise, int fall, string results, string verdicts)
    {
        var counter = VerdictCounter.Start(Enum.Parse<InitialVerdict>(initial));

        var said = "";
        foreach (var result in results)
        {
            counter = counter.Take(result == 'g', rise, fall);
            said += counter.Verdict switch { Health.Healthy => 'H', Health.Unhealthy => 'U', _ => '?' };
        }

        Assert.Equal(verdicts, said);
    }

    [Fact]
    public void ChangeIsPending_WithoutAVerdict_AndWhileResultsSpeakAgainstIt()
    {
        var counter = VerdictCounter.Start(InitialVerdict.Hold);
        Assert.True(counter.IsChangePending);

        counter = counter.Take(good: true, 2, 3);
        Assert.False(counter.IsChangePending);
        counter = counter.Take(good: false, 2, 3);
        Assert.True(counter.IsChangePending);
        counter = counter.Take(good: true, 2, 3);
        Assert.False(counter.IsChangePending);
    }

    /// <summary>Whatever comes: no flip without enough results in a row, and none left out with them.</summary>
    [Fact]
    public void AnyResults_FlipExactlyAfterEnoughInARow() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[1, 5], Gen.Int[1, 5], Gen.Bool.Array[0, 60]).Sample((initial, rise, fall, results) =>
        {
            var counter = VerdictCounter.Start((InitialVerdict)initial);
            for (var i = 0; i < results.Length; i++)
            {
                var before = counter.Verdict;
                counter = counter.Take(results[i], rise, fall);

                var alike = 1;
                while (alike <= i && results[i - alike] == results[i])
                {
                    alike++;
                }

                var expected = (before, results[i]) switch
                {
                    (Health.Unknown, true) => Health.Healthy,
                    (Health.Unhealthy, true) when alike >= rise => Health.Healthy,
                    (Health.Unknown or Health.Healthy, false) when alike >= fall => Health.Unhealthy,
                    _ => before,
                };
                Assert.Equal(expected, counter.Verdict);
                Assert.InRange(counter.Contrary, 0, Math.Max(rise, fall) - 1);
            }
        });
}

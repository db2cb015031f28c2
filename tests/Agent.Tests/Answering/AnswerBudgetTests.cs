using System.Net;
using FailoverHub.Agent.Answering;

namespace FailoverHub.Agent.Tests.Answering;

public sealed class AnswerBudgetTests
{
    private readonly AnswerBudget _budget = new();

    [Fact]
    public void Flood_ASecondsWorthIsRead_AndThenAsMuchAsTimeGoesBy()
    {
        Assert.Equal(AnswerBudget.ReadPerSecond, Count(() => _budget.MayRead(TimeSpan.Zero)));
        Assert.Equal(AnswerBudget.ReadPerSecond / 2, Count(() => _budget.MayRead(TimeSpan.FromSeconds(0.5))));
        Assert.Equal(AnswerBudget.ReadPerSecond, Count(() => _budget.MayRead(TimeSpan.FromHours(1))));
    }

    [Fact]
    public void OneAsksTooOften_TheOtherIsAnsweredAllTheSame()
    {
        Assert.Equal(AnswerBudget.AnsweredPerSecond, Count(() => _budget.MayAnswer(Asker(1), TimeSpan.Zero)));

        Assert.True(_budget.MayAnswer(Asker(2), TimeSpan.Zero));
        Assert.True(_budget.MayAnswer(Asker(1), TimeSpan.FromSeconds(1)));
    }

    /// <summary>Somebody sends what he has recorded again, in as many names as he likes: the hub is no worse off, and nobody whose name he uses is sent more than the thousand.</summary>
    [Fact]
    public void ManyNames_TheOneWhoIsNewIsAnswered_AndWhoWasSentMuchKeepsItsPlace()
    {
        Assert.Equal(AnswerBudget.AnsweredPerSecond, Count(() => _budget.MayAnswer(Asker(200), TimeSpan.Zero)));
        Assert.All(Enumerable.Range(0, 100), number => Assert.True(_budget.MayAnswer(Asker(number), TimeSpan.Zero)));

        Assert.True(_budget.MayAnswer(Asker(201), TimeSpan.Zero));
        Assert.False(_budget.MayAnswer(Asker(200), TimeSpan.Zero));
        Assert.Equal(AnswerBudget.AnsweredPerSecond / 2, Count(() => _budget.MayAnswer(Asker(200), TimeSpan.FromSeconds(0.5))));
    }

    private static IPAddress Asker(int number) => new([192, 0, 2, (byte)number]);

    private static int Count(Func<bool> take)
    {
        var count = 0;
        while (count < 100_000 && take())
        {
            count++;
        }

        return count;
    }
}

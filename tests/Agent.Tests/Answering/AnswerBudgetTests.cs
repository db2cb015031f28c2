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

    [Fact]
    public void ManyAsk_SoManyAreToldApart_AndWhoHasGoneQuietMakesRoom()
    {
        var answered = Enumerable.Range(0, 100).Count(number => _budget.MayAnswer(Asker(number), TimeSpan.Zero));
        Assert.Equal(AnswerBudget.MostAskers, answered);

        Assert.True(_budget.MayAnswer(Asker(99), TimeSpan.FromSeconds(1)));
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

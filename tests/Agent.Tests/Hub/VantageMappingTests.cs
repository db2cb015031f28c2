using FailoverHub.Agent.Hub;
using FailoverHub.Agent.Vantage;
using FailoverHub.Protos.V1;

namespace FailoverHub.Agent.Tests.Hub;

public sealed class VantageMappingTests
{
    [Fact]
    public void Plan_IsMappedWhole()
    {
        var plan = VantageMapping.Plan(new ProbePlan
        {
            Revision = 3,
            Tasks =
            {
                new ProbeTask { Id = 1, Address = "192.0.2.1", IntervalMs = 100, TimeoutMs = 200, Icmp = new IcmpEcho() },
                new ProbeTask { Id = 2, Address = "192.0.2.1", IntervalMs = 100, TimeoutMs = 200, Tcp = new TcpConnect { Port = 443 } },
                new ProbeTask
                {
                    Id = 3, IntervalMs = 5000, TimeoutMs = 200,
                    Http = new HttpGet { Url = "https://a.example/", Statuses = { new StatusRange { First = 200, Last = 299 } }, BodyPattern = "ok", TrustAnyCertificate = true, CertificateDays = 3 },
                },
                new ProbeTask { Id = 4 },
            },
        });

        Assert.Equal(3ul, plan.Revision);
        Assert.Equal(new AskedTask(1, "192.0.2.1", 100, 200, new AskedWay.Icmp()), plan.Tasks[0]);
        Assert.Equal(new AskedTask(2, "192.0.2.1", 100, 200, new AskedWay.Tcp(443)), plan.Tasks[1]);
        var page = Assert.IsType<AskedWay.Http>(plan.Tasks[2].Way);
        Assert.Equal(("https://a.example/", "ok", true, 3u), (page.Url, page.BodyPattern, page.TrustAnyCertificate, page.CertificateDays));
        Assert.Equal([new Agent.Checks.StatusRange(200, 299)], page.Statuses);
        Assert.Null(plan.Tasks[3].Way);
    }

    [Fact]
    public void Plan_OfMillions_IsCutBeforeItIsMapped() =>
        Assert.Equal(400, VantageMapping.Plan(new ProbePlan { Tasks = { Enumerable.Repeat(new ProbeTask(), 100_000) } }).Tasks.Length);

    [Fact]
    public void Batch_HasAgesFromWhenItWasMade_AndShortTexts()
    {
        var batch = VantageMapping.Batch(new VantageBatch(
            3,
            TimeSpan.FromSeconds(10),
            [
                new VantageFinding(1, TimeSpan.FromSeconds(8.5), TimeSpan.FromMicroseconds(250), ""),
                new VantageFinding(2, TimeSpan.FromSeconds(10), null, new string('x', 500)),
            ],
            [new VantageProblem(4, new string('y', 2000))],
            17)).Probes;

        Assert.Equal((3ul, 17u, 10_000_000ul), (batch.PlanRevision, batch.Dropped, batch.MadeUs));
        Assert.Equal(new ProbeResult { Task = 1, AgeUs = 1_500_000, Answered = true, RoundTripUs = 250 }, batch.Results[0]);
        Assert.Equal((2u, 0ul, false, 0u, 200), (batch.Results[1].Task, batch.Results[1].AgeUs, batch.Results[1].Answered, batch.Results[1].RoundTripUs, batch.Results[1].Error.Length));
        Assert.Equal((4u, 500), (batch.Problems[0].Task, batch.Problems[0].Text.Length));
    }
}

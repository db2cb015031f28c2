using System.Net;
using CsCheck;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Tests.Vantage;

/// <summary>What a hub may have asked; whatever it sends, it is read without an exception, and what is refused is said.</summary>
public sealed class PlanReadingTests
{
    [Fact]
    public void Ways_AreRead()
    {
        var plan = PlanReading.Of(Plans.Of(
            Plans.Ping(1, "192.0.2.10", 100, 50),
            new AskedTask(2, "2001:db8::10", 3_600_000, 10_000, new AskedWay.Tcp(443)),
            Plans.Page(3, new AskedWay.Http("https://shop.example/health") { Statuses = [new StatusRange(200, 204), new StatusRange(401, 401)], BodyPattern = "ok$", TrustAnyCertificate = true, CertificateDays = 14 }),
            Plans.Page(4, new AskedWay.Http("http://shop.example:8080/"), "192.0.2.11"),
            Plans.Page(5, new AskedWay.Http("http://[2001:db8::12]/"))));

        Assert.Empty(plan.Problems);
        Assert.Equal(7ul, plan.Revision);
        Assert.Equal(new VantageTask(1, new VantageWay.Icmp(IPAddress.Parse("192.0.2.10")), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(50)), plan.Tasks[0]);
        Assert.Equal(new VantageTask(2, new VantageWay.Tcp(IPAddress.Parse("2001:db8::10"), 443), TimeSpan.FromHours(1), TimeSpan.FromSeconds(10)), plan.Tasks[1]);
        Assert.True(BodyPattern.TryMatching("ok$", out var body, out _));
        var page = new ProbeOptions.Http(new Uri("https://shop.example/health")) { Statuses = [new StatusRange(200, 204), new StatusRange(401, 401)], Body = body, VerifyCertificate = false, MinimumCertificateDays = 14 };
        Assert.Equal(new VantageWay.Http(null, page), plan.Tasks[2].Way);
        Assert.Equal((IPAddress.Parse("192.0.2.11"), "192.0.2.11"), (plan.Tasks[3].Way.Address, ((VantageWay.Http)plan.Tasks[3].Way).Page.ConnectTo));
        Assert.Equal([new StatusRange(200, 399)], ((VantageWay.Http)plan.Tasks[3].Way).Page.Statuses);
        Assert.Equal(IPAddress.Parse("2001:db8::12"), plan.Tasks[4].Way.Address);
    }

    [Theory]
    [InlineData("", "is no IPv4 or IPv6 address")]
    [InlineData("web.example", "is no IPv4 or IPv6 address")]
    [InlineData("1", "is no IPv4 or IPv6 address")]
    [InlineData("0x7f.1", "is no IPv4 or IPv6 address")]
    [InlineData("192.0.2.010", "is no IPv4 or IPv6 address")]
    [InlineData("192.0.2.1/32", "is no IPv4 or IPv6 address")]
    [InlineData("[2001:db8::1]", "is no IPv4 or IPv6 address")]
    [InlineData("2001:db8::/64", "is no IPv4 or IPv6 address")]
    [InlineData("0.0.0.0", "means no machine")]
    [InlineData("0.1.2.3", "means no machine")]
    [InlineData("::", "means no machine")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("ff02::1", "multicast")]
    [InlineData("255.255.255.255", "broadcast")]
    [InlineData("240.0.0.1", "reserved")]
    [InlineData("169.254.1.1", "link-local")]
    [InlineData("fe80::1", "link-local")]
    [InlineData("fe80::1%eth0", "zone")]
    [InlineData("2001:db8::1%1", "zone")]
    [InlineData("::ffff:192.0.2.1", "give 192.0.2.1")]
    [InlineData("169.254.169.254", "metadata service")]
    [InlineData("fd00:a9fe:a9fe::1", "metadata service")]
    public void AddressThatIsNoMachinesOrNobodysToAsk_IsAProblem(string address, string words)
    {
        var plan = PlanReading.Of(Plans.Of(Plans.Ping(1, address), Plans.Ping(2)));

        Assert.Equal(2u, Assert.Single(plan.Tasks).Id);
        var problem = Assert.Single(plan.Problems);
        Assert.Equal(1u, problem.Task);
        Assert.Contains(words, problem.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1000)]
    [InlineData(99, 1000)]
    [InlineData(3_600_001, 1000)]
    [InlineData(uint.MaxValue, 1000)]
    [InlineData(1000, 0)]
    [InlineData(1000, 49)]
    [InlineData(1000, 10_001)]
    [InlineData(1000, uint.MaxValue)]
    public void TimesOutOfRange_AreAProblemThatSaysTheRange(uint interval, uint timeout) =>
        Assert.Contains("ms is out of range; give ", Refused(Plans.Ping(1, interval: interval, timeout: timeout)), StringComparison.Ordinal);

    [Theory]
    [InlineData("ftp://shop.example/")]
    [InlineData("https://user@shop.example/")]
    [InlineData("http:///nothing")]
    [InlineData("http://shop.example:0/")]
    [InlineData("shop.example")]
    [InlineData("")]
    [InlineData("http://169.254.169.254/v1/token")]
    [InlineData("http://0xa9fea9fe/")]
    [InlineData("http://[fe80::1]/")]
    public void UrlThatIsNotFetched_IsAProblem(string url) => Refused(Plans.Page(1, new AskedWay.Http(url)));

    [Fact]
    public void PageThatMakesNoSense_IsAProblem()
    {
        var page = new AskedWay.Http("https://shop.example/");
        Refused(Plans.Page(1, new AskedWay.Http($"https://shop.example/{new string('x', 2000)}")));
        Refused(Plans.Page(1, page with { Statuses = [new StatusRange(99, 200)] }));
        Refused(Plans.Page(1, page with { Statuses = [new StatusRange(300, 200)] }));
        Refused(Plans.Page(1, page with { Statuses = [.. Enumerable.Repeat(new StatusRange(200, 200), 21)] }));
        Refused(Plans.Page(1, page with { BodyPattern = "(" }));
        Refused(Plans.Page(1, page with { BodyPattern = new string('x', 501) }));
        Refused(Plans.Page(1, page with { CertificateDays = uint.MaxValue }));
        Refused(Plans.Page(1, page, "0.0.0.0"));
        Refused(Plans.Page(1, page, interval: 999));
        Refused(new AskedTask(1, "192.0.2.1", 1000, 1000, new AskedWay.Tcp(0)));
        Refused(new AskedTask(1, "192.0.2.1", 1000, 1000, new AskedWay.Tcp(65536)));
        Assert.Contains("update it", Refused(new AskedTask(1, "192.0.2.1", 1000, 1000, null)), StringComparison.Ordinal);
    }

    [Fact]
    public void SameNumberTwice_NeitherIsAsked_AndItIsSaidOnce()
    {
        var plan = PlanReading.Of(Plans.Of(Plans.Ping(1), Plans.Ping(2), Plans.Ping(1, "192.0.2.11"), Plans.Ping(1, "0.0.0.0")));

        Assert.Equal([2u], plan.Tasks.Select(task => task.Id));
        Assert.Contains("more than one task of this number", Assert.Single(plan.Problems).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void TenThousandTasks_TwoHundredAreAsked_AndNoMoreThanTwoHundredProblemsAreTold()
    {
        var plan = PlanReading.Of(Plans.Of(Enumerable.Range(1, 10_000).Select(id => Plans.Ping((uint)id))));

        Assert.Equal(Enumerable.Range(1, 200).Select(id => (uint)id), plan.Tasks.Select(task => task.Id));
        Assert.Equal(200, plan.Problems.Length);
        Assert.All(plan.Problems, problem => Assert.Contains("give this one to another node", problem.Text, StringComparison.Ordinal));
    }

    /// <summary>Whatever comes: nothing is thrown, each id is asked or refused at most once, and what is asked is within the limits.</summary>
    [Fact]
    public void AnyPlan_IsReadWithinItsLimits()
    {
        var texts = Gen.OneOf(Gen.String[0, 40], OneOf("192.0.2.1", "2001:db8::1", "http://a.example/", "https://192.0.2.1/", "http://[::", "%", "::1%lo", "(a+)+$", "[", "\\"));
        var numbers = Gen.OneOf(Gen.UInt[0, 5], Gen.UInt, OneOf(80u, 100u, 1000u, 3_600_000u, uint.MaxValue));
        var ways = Gen.OneOf<AskedWay?>(
            Gen.Const((AskedWay?)null),
            Gen.Const((AskedWay?)new AskedWay.Icmp()),
            numbers.Select(port => (AskedWay?)new AskedWay.Tcp(port)),
            Gen.Select(texts, texts, numbers, numbers, Gen.Bool).Select(page => (AskedWay?)new AskedWay.Http(page.Item1) { BodyPattern = page.Item2, CertificateDays = page.Item3, Statuses = [new StatusRange((int)Math.Min(page.Item3, int.MaxValue), (int)Math.Min(page.Item4, int.MaxValue))], TrustAnyCertificate = page.Item5 }));
        Gen.Select(numbers, texts, numbers, numbers, ways).Select(task => new AskedTask(task.Item1, task.Item2, task.Item3, task.Item4, task.Item5)).Array[0, 30].Sample(tasks =>
        {
            var plan = PlanReading.Of(Plans.Of(tasks));

            return plan.Tasks.Select(task => task.Id).Concat(plan.Problems.Select(problem => problem.Task)).Order().SequenceEqual(tasks.Select(task => task.Id).Distinct().Order())
                && plan.Tasks.All(task => task.Interval >= TimeSpan.FromMilliseconds(task.Way is VantageWay.Http ? 1000 : 100) && task.Interval <= TimeSpan.FromHours(1)
                    && task.Timeout >= TimeSpan.FromMilliseconds(50) && task.Timeout <= TimeSpan.FromSeconds(10)
                    && (task.Way.Address is null ? task.Way is VantageWay.Http : AskableAddress.ProblemOf(task.Way.Address) is null))
                && plan.Problems.All(problem => problem.Text.Length is > 0 and <= 500 && !problem.Text.Any(char.IsControl));
        });
    }

    private static Gen<T> OneOf<T>(params T[] items) => Gen.Int[0, items.Length - 1].Select(index => items[index]);

    private static string Refused(AskedTask task)
    {
        var plan = PlanReading.Of(Plans.Of(task));
        Assert.Empty(plan.Tasks);
        return Assert.Single(plan.Problems).Text;
    }
}

using FailoverHub.Fuzz;

namespace FailoverHub.Bgp.Tests.Wire;

// What the fuzzer has learned, on every run (tests/Fuzz): inputs that reach far, and every input that ever was a finding.
public sealed class FuzzCorpusTests
{
    public static TheoryData<string> Inputs =>
        new(typeof(FuzzCorpusTests).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("fuzz/", StringComparison.Ordinal)).Order());

    [Theory]
    [MemberData(nameof(Inputs))]
    public void Input_BreaksNoRule(string name)
    {
        using var stream = typeof(FuzzCorpusTests).Assembly.GetManifestResourceStream(name)!;
        var input = new byte[stream.Length];
        stream.ReadExactly(input);

        Assert.Null(Record.Exception(() => FuzzTarget.Run(input)));
    }

    [Fact]
    public void BrokenRule_IsSeen() => Assert.Throws<BrokenRuleException>(() => CodecTarget.CheckText("a\u001bb"));
}

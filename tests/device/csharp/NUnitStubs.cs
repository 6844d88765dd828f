using System;
using System.Reflection;

// As much of NUnit as the package's tests use, and somebody who runs them. Inside Unity the real one does.
namespace NUnit.Framework
{
    public sealed class TestAttribute : Attribute { }

    public static class Assert
    {
        public static void AreEqual(object expected, object actual)
        {
            if (!expected.Equals(actual)) throw new Exception("expected " + expected + ", got " + actual);
        }

        public static void IsNull(object value)
        {
            if (value != null) throw new Exception("expected nothing, got " + value);
        }

        public static void IsTrue(bool condition)
        {
            if (!condition) throw new Exception("expected true");
        }
    }

    static class Runner
    {
        static int Main()
        {
            int run = 0;
            foreach (var type in Assembly.GetExecutingAssembly().GetTypes())
                foreach (var method in type.GetMethods())
                {
                    if (method.GetCustomAttribute(typeof(TestAttribute)) == null) continue;
                    method.Invoke(Activator.CreateInstance(type), null);
                    Console.WriteLine(method.Name);
                    run++;
                }
            return run > 0 ? 0 : 1;
        }
    }
}

using System;
using NUnit.Framework;
using Vivant.V1;

namespace Vivant.Tests
{
    /// <summary>Unity's frame: x to the character's right, y up, z forward, turns clockwise as seen along an axis.</summary>
    public sealed class TurnsTests
    {
        [Test]
        public void AHeadTurnedLeftAndLiftedHasNegativeAngles()
        {
            var turn = Turns.OfHead(new Motion { Pose = new Pose { YawDeg = 10, PitchDeg = 5, RollDeg = 3 } });
            Assert.AreEqual("-5 -10 3", turn.X + " " + turn.Y + " " + turn.Z);
            turn = Turns.OfEyes(new Motion { GazeYawDeg = 10, GazePitchDeg = 5 });
            Assert.AreEqual("-5 -10 0", turn.X + " " + turn.Y + " " + turn.Z);
            Assert.AreEqual(0f, Turns.OfHead(new Motion()).Y);
        }

        [Test]
        public void AFaceLooksAtWhatIsBeforeIt()
        {
            // To the character's right is to the viewer's left, where the yaw of gaze is negative.
            Assert.AreEqual("-26.6 0", Gaze(1, 0, 2));
            Assert.AreEqual("0 26.6", Gaze(0, 1, 2));
            Assert.AreEqual("30 0", Gaze(-5, 0, 1));
            Assert.AreEqual("0 0", Gaze(1, 1, -1));
        }

        [Test]
        public void AMeshShowsGazeAndTongueOnTopOfItsWeights()
        {
            var names = new[] { "eyeLookOutLeft", "eyeLookInLeft", "eyeLookDownRight", "tongueOut", "jawOpen" };
            var motion = new Motion { GazeYawDeg = 15, GazePitchDeg = -6, TongueOut = 0.9f };
            motion.Weights.AddRange(new[] { 0.1f, 0.2f, 0f, 0.3f, 0.4f });
            var weights = new float[5];
            Turns.Weights(motion, names, weights, true);
            Assert.AreEqual("0.6 0.2 0.2 1 0.4", Words(weights));
            Turns.Weights(motion, names, weights, false);
            Assert.AreEqual("0.1 0.2 0 1 0.4", Words(weights));
        }

        static string Gaze(float right, float up, float forward)
        {
            var controls = new Controls();
            Turns.LookAt(controls, right, up, forward);
            return Words(new[] { controls.GazeYawDeg, controls.GazePitchDeg });
        }

        static string Words(float[] numbers)
        {
            return string.Join(" ", Array.ConvertAll(numbers, number => (Math.Abs(number) < 0.05 ? 0 : Math.Round(number, 1)).ToString("0.#", System.Globalization.CultureInfo.InvariantCulture)));
        }
    }
}
